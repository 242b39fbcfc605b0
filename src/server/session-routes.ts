// Who is logged in, and the dashboard's login: the user enters a token once, and the browser keeps a session.

import type { Context } from "hono";
import * as v from "valibot";
import type { Actor } from "../core/api/audit.ts";
import { LoggedOutAnswer, SessionAnswer } from "../core/api/session-answers.ts";
import type { SessionFacts } from "../core/api/sessions.ts";
import type { Caller } from "../core/api/tokens.ts";
import { TaskonautError } from "../core/errors.ts";
import { NO_BODY, NoBody } from "./about.ts";
import type { Access } from "./access.ts";
import { actorOf } from "./actor.ts";
import { readJsonBody, requireJsonBody } from "./body.ts";
import { callerOf } from "./caller.ts";
import { check } from "./check.ts";
import { transitOf, writeSession } from "./cookie.ts";
import type { Route, RouteOptions } from "./route.ts";

/** No token is longer. */
const TOKEN_MAX = 4096;

const LoginBody = v.strictObject({ token: v.pipe(v.string(), v.minLength(1), v.maxLength(TOKEN_MAX)) });

export function sessionRoutes({ taskonaut, access, addressOf, maxBodyBytes }: RouteOptions): readonly Route[] {
  /** The session is always a new one, whatever the browser had, so nobody can plant a session. */
  async function logIn(c: Context, guard: Access): Promise<Response> {
    const { token } = check(LoginBody, await requireJsonBody(c.req.raw, maxBodyBytes));
    const transit = transitOf(c);
    if (transit === "refused") {
      throw new TaskonautError(
        "input_invalid",
        "A session is given over https, or on this machine itself: put TLS in front of the server.",
        { errors: [{ path: "", message: "the page did not come over https" }] },
      );
    }
    const caller = await guard.admitToken(c, token);
    const actor: Actor = { ...actorOf(c, addressOf), who: caller.name, role: caller.role, way: "dashboard" };
    const session = await taskonaut.audit.acting({ ...actor, tokenId: caller.id }, () => guard.openSession(c, token));
    writeSession(c, session.secret, transit);
    return answer(c, session.caller, "session");
  }

  async function logOut(c: Context, guard: Access): Promise<Response> {
    check(NoBody, (await readJsonBody(c.req.raw, maxBodyBytes)) ?? {});
    await guard.endSession(c);
    const transit = transitOf(c);
    if (transit !== "refused") writeSession(c, null, transit);
    c.header("Cache-Control", "no-store");
    return c.json({ logged_in: false });
  }

  return [
    {
      method: "GET",
      path: "/session",
      needs: "see",
      about: { summary: "Tells who asks", answers: { 200: SessionAnswer } },
      handle: async (c) => {
        const caller = callerOf(c);
        const by = caller.isAnybody ? "open" : caller.bySession ? "session" : "token";
        return answer(c, caller, by);
      },
    },
    {
      method: "POST",
      path: "/session",
      needs: "see",
      about: {
        summary: "Logs in with a token",
        more: "The answer sets the cookie of a session, which ends with the token.",
        body: LoginBody,
        answers: { 200: SessionAnswer },
        headers: { "Set-Cookie": "The session." },
        errors: ["unauthorized", "too_many_attempts", "internal", "database_unavailable"],
      },
      handle: (c) => logIn(c, access ?? noLogin()),
    },
    {
      method: "POST",
      path: "/session/end",
      needs: "see",
      about: { summary: "Logs out", ...NO_BODY, answers: { 200: LoggedOutAnswer } },
      handle: (c) => logOut(c, access ?? noLogin()),
    },
  ];
}

function noLogin(): never {
  throw new TaskonautError("route_not_found", "This server has no database of its own, so nobody can log in.");
}

function answer(c: Context, { name, role, flows, hidesPayloads }: Caller, by: SessionFacts["by"]): Response {
  c.header("Cache-Control", "no-store");
  return c.json({ name, role, flows, hides_payloads: hidesPayloads, by } satisfies SessionFacts);
}

// The dashboard's login, and what a session allows.

import { beforeEach, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { FakeSessions } from "../../test/support/fake-sessions.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";
import type { Role } from "../core/api/roles.ts";
import { createApp } from "./app.ts";

type Headers = Record<string, string>;

const LOOPBACK = { host: "127.0.0.1:8000", origin: "http://127.0.0.1:8000" };
const HTTPS = { host: "tasks.example", origin: "https://tasks.example" };
const CLEAR = { host: "tasks.example", origin: "http://tasks.example" };

let taskonaut: FakeTaskonaut;
let sessions: FakeSessions;
let app: Hono;
let address: string;

beforeEach(async () => {
  taskonaut = new FakeTaskonaut();
  sessions = new FakeSessions(taskonaut.tokens);
  address = "192.0.2.1";
  app = appOn("127.0.0.1");
  await taskonaut.createTask({ flow: "echo_add", input: { text: "secret words", a: 1, b: 2 } });
});

function appOn(host: string, token?: string): Hono {
  return createApp(taskonaut, { host, token, gate: taskonaut.tokens, sessions, addressOf: () => address });
}

const tokenOf = async (role: Role): Promise<string> =>
  (await taskonaut.tokens.create({ name: `${role}'s`, role })).secret;

async function post(path: string, headers: Headers, body: object = {}): Promise<Response> {
  const json = { "content-type": "application/json", ...headers };
  return app.request(path, { method: "POST", headers: json, body: JSON.stringify(body) });
}

const logIn = (token: string, headers: Headers = LOOPBACK): Promise<Response> => post("/session", headers, { token });

/** The cookie that a browser sends back. */
function cookieOf(response: Response): string {
  return /^[^;]*/.exec(response.headers.get("set-cookie") ?? "")?.[0] ?? "";
}

async function session(role: Role): Promise<Headers> {
  return { ...LOOPBACK, cookie: cookieOf(await logIn(await tokenOf(role))) };
}

const statusOf = async (path: string, headers: Headers): Promise<number> =>
  (await app.request(path, { headers })).status;

describe("logging in", () => {
  test("gives a cookie that no script reads and no other site sends; on loopback it is the port's", async () => {
    const response = await logIn(await tokenOf("operator"));
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toMatch(/^taskonaut-8000=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      name: "operator's",
      role: "operator",
      flows: null,
      hides_payloads: false,
      by: "session",
    });
  });

  test("over https the cookie is this host's alone", async () => {
    app = appOn("0.0.0.0");
    const response = await logIn(await tokenOf("viewer"), HTTPS);
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-taskonaut=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(await statusOf("/tasks", { ...HTTPS, cookie: cookieOf(response) })).toBe(200);
    const planted = cookieOf(response).replace("__Host-taskonaut", "taskonaut-80");
    expect(await statusOf("/tasks", { ...HTTPS, cookie: planted })).toBe(401);
  });

  test("is refused over http to another machine, where everybody on the way would have the session", async () => {
    app = appOn("0.0.0.0");
    const response = await logIn(await tokenOf("viewer"), CLEAR);
    expect(response.status).toBe(422);
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  test("wants a token that works", async () => {
    const secret = await tokenOf("admin");
    await taskonaut.tokens.revoke("token-1");
    for (const token of ["wrong", secret]) {
      const response = await logIn(token);
      expect(response.status).toBe(401);
      expect(response.headers.get("set-cookie")).toBeNull();
    }
    expect((await logIn("")).status).toBe(422);
  });

  test("takes the token that the server was started with; a session of it ends where that is another one", async () => {
    app = appOn("127.0.0.1", "let-me-in");
    const response = await logIn("let-me-in");
    expect(await response.json()).toMatchObject({ name: "TASKONAUT_API_TOKEN", role: "admin" });
    const headers = { ...LOOPBACK, cookie: cookieOf(response) };
    expect(await statusOf("/tokens", headers)).toBe(200);
    app = appOn("127.0.0.1", "another");
    expect(await statusOf("/tokens", headers)).toBe(401);
  });

  test("makes a session of its own, whatever cookie the browser had, and ends the one before", async () => {
    const token = await tokenOf("viewer");
    const planted = { ...LOOPBACK, cookie: "taskonaut-8000=planted" };
    const first = cookieOf(await logIn(token, planted));
    expect(first).not.toContain("planted");
    expect(await statusOf("/tasks", planted)).toBe(401);
    const second = cookieOf(await logIn(token, { ...LOOPBACK, cookie: first }));
    expect(second).not.toBe(first);
    expect(await statusOf("/tasks", { ...LOOPBACK, cookie: first })).toBe(401);
    expect(await statusOf("/tasks", { ...LOOPBACK, cookie: second })).toBe(200);
  });

  test("is written to the audit log as the dashboard's, with the token's name", async () => {
    await logIn(await tokenOf("viewer"));
    expect(taskonaut.audit.actors).toMatchObject([{ who: "viewer's", role: "viewer", way: "dashboard", address }]);
  });
});

describe("wrong attempts", () => {
  test("are slowed down by address, also that of a right token at the login, and not that of a token in a header", async () => {
    const secret = await tokenOf("admin");
    for (let tries = 0; tries < 5; tries++) expect((await logIn("wrong")).status).toBe(401);
    const slowed = await logIn(secret);
    expect(slowed.status).toBe(429);
    expect(Number(slowed.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await slowed.json()).toMatchObject({ code: "too_many_attempts" });
    expect(await statusOf("/tasks", { authorization: "Bearer wrong" })).toBe(429);
    expect(await statusOf("/tasks", { authorization: `Bearer ${secret}` })).toBe(200);
    address = "192.0.2.2";
    expect((await logIn(secret)).status).toBe(200);
  });
});

describe("a session", () => {
  test("tells who has it, and ends when somebody logs out", async () => {
    const headers = await session("operator");
    const facts = await app.request("/session", { headers });
    expect(await facts.json()).toMatchObject({ name: "operator's", role: "operator", by: "session" });
    const left = await post("/session/end", headers);
    expect(left.headers.get("set-cookie")).toMatch(/^taskonaut-8000=; .*Max-Age=0$/);
    expect(await statusOf("/session", headers)).toBe(401);
    expect(sessions.kept.size).toBe(0);
  });

  test("ends with its token", async () => {
    const headers = await session("viewer");
    expect(await statusOf("/tasks", headers)).toBe(200);
    await taskonaut.tokens.revoke("token-1");
    await tokenOf("admin");
    expect(await statusOf("/tasks", headers)).toBe(401);
  });

  test.each<[Headers, number]>([
    [{ origin: LOOPBACK.origin }, 200],
    [{ origin: LOOPBACK.origin, "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{}, 403],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "none" }, 403],
    [{ origin: LOOPBACK.origin, "sec-fetch-site": "cross-site" }, 403],
  ])("changes something for our own page alone: %p is %p", async (said, status) => {
    const { cookie = "" } = await session("operator");
    const response = await post(`/tasks/${TASK_ID}/cancel`, { host: LOOPBACK.host, cookie, ...said });
    expect(response.status).toBe(status);
    expect(taskonaut.calls.includes("cancelTask")).toBe(status === 200);
  });

  test("is not looked at where the request has a token of its own", async () => {
    const { cookie = "" } = await session("admin");
    const headers = { host: LOOPBACK.host, cookie, authorization: "Bearer wrong" };
    expect(await statusOf("/tokens", headers)).toBe(401);
  });

  test("acts as the dashboard in the audit log, and a token does by http", async () => {
    const headers = await session("operator");
    await post(`/tasks/${TASK_ID}/cancel`, { ...headers, "taskonaut-reason": "it%20hangs%20%E2%98%83" });
    const authorization = `Bearer ${await tokenOf("admin")}`;
    await post(`/tasks/${TASK_ID}/cancel`, { authorization, "taskonaut-reason": "100% sure", "x-request-id": "r-1" });
    expect(taskonaut.audit.actors.slice(1)).toMatchObject([
      { who: "operator's", way: "dashboard", reason: "it hangs ☃", address },
      { who: "admin's", way: "http", reason: "100% sure", requestId: "r-1" },
    ]);
  });
});

test("a token in a URL is refused, wherever it stands, also on open routes", async () => {
  const token = `tkn_abcdefgh2345_${"x".repeat(43)}`;
  for (const path of [
    `/tasks?token=x`,
    `/healthz?access_token=x`,
    `/ui?token=x`,
    `/tasks?cursor=${token}`,
    `/x/${token}`,
  ]) {
    const response = await app.request(path);
    expect({ path, status: response.status }).toEqual({ path, status: 422 });
    expect(await response.json()).toMatchObject({ code: "input_invalid" });
  }
});

test("who asks a server that wants no token is anybody, and its page is the dashboard", async () => {
  expect(await (await app.request("/session", { headers: LOOPBACK })).json()).toMatchObject({
    role: "admin",
    by: "open",
  });
  await post(`/tasks/${TASK_ID}/cancel`, LOOPBACK);
  await post(`/tasks/${TASK_ID}/cancel`, { host: LOOPBACK.host });
  expect(taskonaut.audit.actors.map(({ who, way }) => [who, way])).toEqual([
    ["anybody", "dashboard"],
    ["anybody", "http"],
  ]);
});

// Every route × every role × every fault of a token.

import { beforeEach, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { FakeSessions } from "../../test/support/fake-sessions.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";
import type { Role } from "../core/api/roles.ts";
import type { CreateToken } from "../core/api/tokens.ts";
import { SILENT } from "../core/log.ts";
import { createApp } from "./app.ts";
import { permissionOf, type Route } from "./route.ts";
import { routesOf } from "./routes.ts";

let taskonaut: FakeTaskonaut;
let app: Hono;

beforeEach(async () => {
  taskonaut = new FakeTaskonaut();
  const sessions = new FakeSessions(taskonaut.tokens);
  app = createApp(taskonaut, { host: "127.0.0.1", gate: taskonaut.tokens, sessions });
  await taskonaut.createTask({ flow: "echo_add", input: { text: "secret words", a: 1, b: 2 } });
});

const ROUTES = routesOf({
  taskonaut: new FakeTaskonaut(),
  maxBodyBytes: 1024,
  log: SILENT,
  version: "1.2.3",
  onLongWait: () => {},
});

async function tokenFor(request: Partial<CreateToken> & { readonly role: Role }): Promise<string> {
  return (await taskonaut.tokens.create({ name: request.role, ...request })).secret;
}

const isOfNoFlow = ({ path }: Route): boolean =>
  ["/", "/events", "/openapi.json", "/flows", "/readyz", "/session", "/session/end", "/workers"].includes(path);

/** The headers that a browser on the dashboard sends. */
async function sessionOf(token: string): Promise<Record<string, string>> {
  const own = { host: "localhost:8000", origin: "http://localhost:8000" };
  const response = await app.request("/session", {
    method: "POST",
    headers: { ...own, "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return { ...own, cookie };
}

/** `by`: the secret of a token, or headers. */
async function ask(method: string, path: string, by?: string | Record<string, string>): Promise<Response> {
  const concrete = path.replace("/tasks/:id", `/tasks/${TASK_ID}`).replace("/flows/:name", "/flows/echo_add");
  return app.request(concrete.replaceAll(/:\w+/g, "x"), {
    method,
    ...(by !== undefined && { headers: typeof by === "string" ? { authorization: `Bearer ${by}` } : by }),
  });
}

/** What each role may do: every new route has to be entered here. */
const FOR: Readonly<Record<string, readonly Role[]>> = {
  see: ["viewer", "submit", "operator", "admin"],
  look: ["viewer", "operator", "admin"],
  create: ["submit", "operator", "admin"],
  operate: ["operator", "admin"],
  administer: ["admin"],
};

/** A caller without a token can use these. */
const isOpen = ({ method, path }: Route): boolean => path === "/healthz" || (method === "POST" && path === "/session");

describe.each(ROUTES.filter((route) => !isOpen(route)))("$method $path", (route) => {
  test("lets in the roles that it is for, and no others", async () => {
    for (const role of ["viewer", "submit", "operator", "admin"] as const) {
      const { status } = await ask(route.method, route.path, await tokenFor({ role }));
      const isAllowed = FOR[permissionOf(route)]?.includes(role);
      expect({ role, isRefused: status === 403 }).toEqual({ role, isRefused: !isAllowed });
    }
  });

  test("lets in by a session whom the token of the session lets in, and nobody when that is revoked", async () => {
    for (const role of ["viewer", "submit", "operator", "admin"] as const) {
      const headers = await sessionOf(await tokenFor({ role }));
      const isAllowed = FOR[permissionOf(route)]?.includes(role);
      const { status } = await ask(route.method, route.path, headers);
      expect({ role, isRefused: status === 403 }).toEqual({ role, isRefused: !isAllowed });
      await taskonaut.tokens.revoke(taskonaut.tokens.all.at(-1)?.id ?? "");
      await tokenFor({ role: "viewer" });
      expect((await ask(route.method, route.path, headers)).status).toBe(401);
    }
    const other = await sessionOf(await tokenFor({ role: "admin", flows: ["refund"] }));
    expect((await ask(route.method, route.path, other)).status === 403).toBe(!isOfNoFlow(route));
    expect((await ask(route.method, route.path, { ...other, cookie: "taskonaut-8000=wrong" })).status).toBe(401);
  });

  test("wants a token that works: none, a wrong and a revoked one are 401", async () => {
    const secret = await tokenFor({ role: "admin" });
    await tokenFor({ role: "viewer" });
    expect((await ask(route.method, route.path)).status).toBe(401);
    expect((await ask(route.method, route.path, "wrong")).status).toBe(401);
    const [made] = taskonaut.tokens.all;
    await taskonaut.tokens.revoke(made?.id ?? "");
    expect((await ask(route.method, route.path, secret)).status).toBe(401);
  });

  test("refuses a token for other flows, unless it tells of no task", async () => {
    const secret = await tokenFor({ role: "admin", flows: ["refund"] });
    const { status } = await ask(route.method, route.path, secret);
    expect(status === 403).toBe(!isOfNoFlow(route));
  });
});

const ADMINS_ONLY = ["GET /tokens", "POST /tokens", "POST /tokens/:token/rotate", "POST /tokens/:token/revoke"];

test("tokens are for admins alone", () => {
  const found = ROUTES.filter((route) => permissionOf(route) === "administer").map(
    ({ method, path }) => `${method} ${path}`,
  );
  expect(ADMINS_ONLY.filter((each) => !found.includes(each))).toEqual([]);
});

test("whatever changes something is for more than a viewer", () => {
  const open = ROUTES.filter((route) => route.method !== "GET" && ["see", "look"].includes(permissionOf(route)));
  // except for their own session
  expect(open.map(({ path }) => path)).toEqual(["/session", "/session/end"]);
});

test("to delete tasks for good is for admins, and only to act on them for operators", async () => {
  const bulk = async (action: string, role: Role): Promise<number> => {
    const headers = { authorization: `Bearer ${await tokenFor({ role })}`, "content-type": "application/json" };
    const body = JSON.stringify({ action, filter: { flow: "echo_add" } });
    return (await app.request("/bulk", { method: "POST", headers, body })).status;
  };
  expect(await bulk("delete", "operator")).toBe(403);
  expect(await bulk("cancel", "operator")).not.toBe(403);
  expect(await bulk("delete", "admin")).not.toBe(403);
});

describe("a token for some flows", () => {
  test("reaches their tasks, and lists them where it names them", async () => {
    const secret = await tokenFor({ role: "viewer", flows: ["echo_add", "refund"] });
    expect((await ask("GET", "/tasks/:id", secret)).status).toBe(200);
    expect((await ask("GET", "/tasks", secret)).status).toBe(403);
    expect((await ask("GET", "/tasks?flow=other", secret)).status).toBe(403);
    expect((await ask("GET", "/tasks?flow=echo_add&flow=other", secret)).status).toBe(403);
    expect((await ask("GET", "/tasks/counts", secret)).status).toBe(403);
    expect((await ask("GET", "/tasks/counts?flow=echo_add", secret)).status).toBe(200);
  });

  test("says what it is for, and how to ask", async () => {
    const response = await ask("GET", "/tasks", await tokenFor({ role: "viewer", flows: ["echo_add"] }));
    expect(await response.json()).toMatchObject({
      code: "forbidden",
      detail: 'Token "viewer" is for echo_add only. Ask for ?flow=echo_add.',
    });
  });
});

describe("a token that hides payloads", () => {
  test("sees a task and a list without them, and all else", async () => {
    const secret = await tokenFor({ role: "viewer", hidesPayloads: true });
    for (const path of [
      "/tasks/:id",
      "/tasks",
      "/tasks?limit=1",
      "/tasks/:id?view=summary",
      "/tasks?view=summary&limit=1",
    ]) {
      const response = await ask("GET", path, secret);
      expect({ path, status: response.status }).toEqual({ path, status: 200 });
      const text = await response.text();
      expect(text).toContain(TASK_ID);
      expect(text).not.toContain("secret words");
    }
  });
});

test("the server's own token is an admin's, and works beside those of the store", async () => {
  const guarded = createApp(taskonaut, { host: "127.0.0.1", token: "own", gate: taskonaut.tokens });
  const statusOf = async (secret: string): Promise<number> =>
    (await guarded.request("/tokens", { headers: { authorization: `Bearer ${secret}` } })).status;
  expect(await statusOf("own")).toBe(200);
  expect(await statusOf(await tokenFor({ role: "admin" }))).toBe(200);
  expect(await statusOf("other")).toBe(401);
});

test("where the tokens cannot be read nobody gets in", async () => {
  const broken = createApp(taskonaut, {
    host: "127.0.0.1",
    gate: {
      isGuarded: () => Promise.reject(new Error("the disk")),
      admit: () => Promise.reject(new Error("the disk")),
    },
  });
  expect((await broken.request("/tasks")).status).toBe(500);
  expect((await broken.request("/tasks", { headers: { authorization: "Bearer x" } })).status).toBe(500);
});

test("a token in the address is no token, and is refused as one", async () => {
  const secret = await tokenFor({ role: "admin" });
  expect((await app.request(`/tasks?token=${secret}`)).status).toBe(422);
  expect((await app.request(`/tasks?access_token=${secret}`)).status).toBe(422);
});

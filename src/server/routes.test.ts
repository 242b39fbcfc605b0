// The paths and methods of the API.

import { describe, expect, test } from "bun:test";
import { createApp } from "./app.ts";
import { routesOf } from "./routes.ts";
import { SILENT } from "../core/log.ts";
import { apiInMemory, problemOf, UNKNOWN_ID } from "../../test/support/api.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";

const api = apiInMemory();

describe("a route", () => {
  test.each([
    "/nope",
    "/tasks/",
    `/tasks/${UNKNOWN_ID}/nope`,
    `/tasks/${UNKNOWN_ID}/signals`,
    "//tasks",
    "/TASKS",
    "/healthz/x",
  ])("%s is no route: 404", async (path) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await api.app.fetch(new Request(`http://localhost${path}`, { method }));
      expect((await problemOf(response)).code).toBe("route_not_found");
    }
  });

  test.each([
    ["POST", "/", "GET, HEAD"],
    ["DELETE", "/tasks", "POST, GET, HEAD"],
    ["PUT", `/tasks/${UNKNOWN_ID}`, "GET, HEAD"],
    ["GET", `/tasks/${UNKNOWN_ID}/advance`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/run`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/cancel`, "POST"],
    ["PUT", `/tasks/${UNKNOWN_ID}/retry`, "POST"],
    ["DELETE", `/tasks/${UNKNOWN_ID}/resume`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/signals/approved`, "POST"],
    ["OPTIONS", "/tasks", "POST, GET, HEAD"],
    ["POST", "/flows", "GET, HEAD"],
    ["GET", "/flows/echo_add/tasks", "POST"],
    ["POST", "/healthz", "GET, HEAD"],
    ["PATCH", "/readyz", "GET, HEAD"],
  ])("%s %s answers 405 and what is allowed", async (method, path, allow) => {
    const response = await api.app.request(path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    expect((await problemOf(response)).code).toBe("method_not_allowed");
  });

  test("HEAD works where GET does, without a body", async () => {
    for (const path of ["/", "/tasks", "/tasks?limit=1", "/flows", "/healthz", "/readyz"]) {
      const response = await api.app.request(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    const refused = await api.app.request(`/tasks/${UNKNOWN_ID}/run`, { method: "HEAD" });
    expect([refused.status, refused.headers.get("allow"), await refused.text()]).toEqual([405, "POST", ""]);
  });
});

const ROUTES = routesOf({
  taskonaut: new FakeTaskonaut(),
  maxBodyBytes: 1024,
  log: SILENT,
  version: "1.2.3",
  onLongWait: () => {},
});

/** As a client writes it. */
const pathOf = (path: string): string => path.replace(":id", UNKNOWN_ID).replace(":name", "echo_add");

describe("GET /", () => {
  test("names the program, its version and every route with what its query may say", async () => {
    const app = createApp(new FakeTaskonaut(), { host: "127.0.0.1", version: "1.2.3" });
    const answer = (await (await app.request("/")).json()) as {
      links: Record<string, string>;
      routes: readonly { method: string; path: string; query: readonly string[] }[];
    };
    expect(answer).toMatchObject({ name: "taskonaut", version: "1.2.3", documentation: "docs/http-api.md" });
    expect(answer.routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
      ROUTES.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`),
    );
    expect(answer.routes).toContainEqual({
      method: "POST",
      path: "/tasks",
      query: ["start", "priority", "expires_in", "tag", "wait"],
    });
    for (const path of Object.values(answer.links)) expect((await app.request(path)).status).toBe(200);
  });

  test("wants the token like every other route but /healthz", async () => {
    const app = createApp(new FakeTaskonaut(), { host: "127.0.0.1", token: "secret" });
    expect((await app.request("/")).status).toBe(401);
    expect((await app.request("/", { headers: { Authorization: "Bearer secret" } })).status).toBe(200);
  });
});

describe.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))("%s", (_, route) => {
  const { method, path, query = [] } = route;
  const ask = (text: string): Promise<Response> =>
    Promise.resolve(api.app.request(`${pathOf(path)}?${text}`, { method, ...(method === "POST" && JSON_BODY) }));

  if (query === "ignored") {
    test("takes any query: it is for probes", async () => {
      expect((await ask("probe=1")).status).toBe(200);
    });
    return;
  }

  test("refuses a parameter that it does not know, and says which it knows", async () => {
    const response = await ask("xyzzy=1");
    expect(response.status).toBe(422);
    const known = query.length === 0 ? "this route takes none" : `known: ${query.join(", ")}`;
    expect((await problemOf(response)).errors).toEqual([{ path: "xyzzy", message: `unknown parameter; ${known}` }]);
  });

  test("says of a parameter that was misspelt which one was meant", async () => {
    for (const name of query) {
      const [first = "", second = "", ...others] = name;
      const { errors = [] } = await problemOf(await ask(`${second}${first}${others.join("")}=1`));
      expect(errors).toHaveLength(1);
      expect(errors[0]?.message).toEndWith(`; did you mean ${name}?`);
    }
  });
});

const JSON_BODY = { body: "{}", headers: { "Content-Type": "application/json" } };

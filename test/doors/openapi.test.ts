// The OpenAPI document against a server on a socket: each of its routes is called, and answers by its schema, when it goes
// well and when it does not.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { Task } from "../../src/core/api/task.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { OpenApi } from "../../src/server/openapi.ts";
import { type StartedServer, startServer } from "../../src/server/serve.ts";
import { UNKNOWN_ID } from "../support/api.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { Contract } from "../support/openapi.ts";
import { charge, FLOWS, other } from "../support/openapi-flows.ts";

const TOKEN = "admin-token";

interface Call {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}

type Calls = Readonly<Record<string, readonly Call[]>>;

describe.each(DATABASES)("the document of a server on %s", (_name, createDatabase) => {
  let database: EngineDatabase;
  let engine: Engine;
  let crew: Engine;
  let server: StartedServer;
  let contract: Contract;
  let calls: Calls;

  beforeAll(async () => {
    database = await createDatabase();
    engine = engineOn(await database.openStore(), { flows: FLOWS });
    // a worker writes down the limits of its flows
    crew = engineOn(await database.openStore(), { flows: [other] });
    await crew.startWorker({ concurrency: 1 });
    const metrics = { write: async () => "# none\n", noteRequest: () => {} };
    server = await startServer({
      taskonaut: engine,
      host: "127.0.0.1",
      port: 0,
      insecure: false,
      token: TOKEN,
      gate: engine.tokens,
      sessions: engine.sessions,
      metrics,
    });
    contract = new Contract((await (await ask("GET", { path: "/openapi.json" })).json()) as OpenApi);
    calls = await callsOf(engine, ask);
  });

  afterAll(async () => {
    for (let n = 0; n < charge.calls.length; n++) charge.end(n, null);
    await crew.close();
    await server.stop();
    await database.drop();
  });

  async function ask(method: string, { path, body, headers }: Omit<Call, "status">): Promise<Response> {
    return fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { errors } = await validator.validate(
      structuredClone(contract.document) as unknown as Record<string, unknown>,
    );
    expect([validator.version, errors ?? "none"]).toEqual(["3.1", "none"]);
  });

  test("has every route of the server, and calls of each are here", async () => {
    const table = (await (await ask("GET", { path: "/" })).json()) as { routes: { method: string; path: string }[] };
    const operations = [...contract.operations.keys()];
    for (const { method, path } of table.routes) expect(operations).toContain(`${method} ${path}`);
    expect(operations.toSorted()).toEqual(Object.keys(calls).toSorted());
  });

  test("tells each set of errors once, however many routes may answer with it", async () => {
    const { paths, components } = contract.document;
    const answers = Object.values(paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ responses }) => Object.entries(responses as Record<string, { $ref?: string }>)),
    );
    const refs = answers.flatMap(([status, { $ref = "none" }]) => (Number(status) < 400 ? [] : [$ref]));
    expect(refs).not.toContain("none");
    const told = Object.keys(components.responses).map((name) => `#/components/responses/${name}`);
    expect([...new Set(refs)].toSorted()).toEqual(told.toSorted());
    const texts = Object.values(components.responses).map((response) => JSON.stringify(response));
    expect(texts.length).toBe(new Set(texts).size);
  });

  test("every route answers by its schema, when it goes well and when it does not", async () => {
    for (const [key, each] of Object.entries(calls)) {
      const [method = ""] = key.split(" ");
      expect([key, each.some(({ status }) => status < 300)]).toEqual([key, true]);
      for (const { status, ...request } of each) {
        const response = await ask(method, request);
        const { detail } = response.ok ? { detail: "" } : ((await response.clone().json()) as { detail: string });
        expect({ key, status: response.status, detail }).toEqual({ key, status, detail });
        await contract.check(key, response);
      }
    }
  });

  test("every route answers by its schema to who may not, and to what it does not take", async () => {
    for (const [key, operation] of contract.operations) {
      const [method = ""] = key.split(" ");
      const path = calls[key]?.[0]?.path.replace(/\?.*/, "") ?? "";
      const wrong = async (status: number, request: Partial<Call>): Promise<void> => {
        const response = await ask(method, { path, ...request });
        expect([key, response.status]).toEqual([key, status]);
        await contract.check(key, response);
      };
      await wrong(403, { headers: { origin: "http://elsewhere.example" } });
      if (path === "/healthz") continue;
      // whoever shows wrong tokens again and again would have to wait
      if (key !== "POST /session") await wrong(401, { headers: { authorization: "Basic nope" } });
      if (path !== "/readyz") await wrong(422, { path: `${path}?nope=1`, ...(method === "POST" && { body: {} }) });
      if (!operation.requestBody) continue;
      await wrong(400, { body: "{" });
      await wrong(415, { body: "{}", headers: { "content-type": "text/html" } });
      await wrong(413, { body: JSON.stringify("x".repeat(70_000)) });
      // what takes anything is not asked for less
      if (!/\/flows\/other\/tasks|\/tasks\/\{id\}\/signals\/approved/.test(key)) await wrong(422, { body: "[7]" });
    }
  });

  test("is not sent again to who has it", async () => {
    const first = await ask("GET", { path: "/openapi.json" });
    const etag = first.headers.get("etag") ?? "";
    const again = await ask("GET", { path: "/openapi.json", headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    expect(await contract.check("GET /openapi.json", again)).toBeUndefined();
  });

  test("describes the flows that are loaded, each with its own schemas", async () => {
    const { paths, components } = contract.document;
    expect(components.schemas["input.order"]).toMatchObject({
      required: ["sku"],
      properties: { sku: { minLength: 2 } },
    });
    expect(paths["/flows/order/tasks"]?.["post"]).toMatchObject({
      operationId: "post_flows_name_tasks_order",
      requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/input.order" } } } },
    });
    expect(paths["/tasks/{id}/signals/approved"]?.["post"]).toMatchObject({
      requestBody: {
        content: {
          "application/json": {
            schema: {
              anyOf: [
                { $ref: "#/components/schemas/signal.order.approved" },
                { $ref: "#/components/schemas/signal.other.approved" },
              ],
            },
          },
        },
      },
    });
    // what a schema defines for itself is still found
    expect(JSON.stringify(contract.document)).not.toContain("#/$defs/");
    const fewer = engineOn(await database.openStore(), { flows: [other] });
    const app = await startServer({ taskonaut: fewer, host: "127.0.0.1", port: 0, insecure: false });
    const response = await fetch(`${app.url}/openapi.json`);
    expect(((await response.json()) as OpenApi).paths["/flows/order/tasks"]).toBeUndefined();
    expect(response.headers.get("etag")).not.toBe((await ask("GET", { path: "/openapi.json" })).headers.get("etag"));
    await app.stop();
  });
});

type Ask = (method: string, call: Omit<Call, "status">) => Promise<Response>;

/** Of each operation calls that go well, then some that do not. A route that is new has to be entered here. */
async function callsOf(engine: Engine, ask: Ask): Promise<Calls> {
  const post = async (path: string, body: unknown): Promise<Task> => {
    const response = await ask("POST", { path, body });
    if (!response.ok) throw new Error(`POST ${path}: ${await response.text()}`);
    return (await response.json()) as Task;
  };
  const done = await post("/tasks?wait=1m", {});
  const failed = await post("/flows/other/tasks?wait=1m", null);
  const failedAgain = await post("/flows/other/tasks?wait=1m", null);
  const waits = await post("/flows/order/tasks", { sku: "ab" });
  await post(`/tasks/${waits.id}/run`, {});
  const doubtful = await post("/flows/order/tasks", { sku: "ab" });
  await post(`/tasks/${doubtful.id}/run`, {});
  await post(`/tasks/${doubtful.id}/signals/approved`, { by: "ada" });
  await post(`/tasks/${doubtful.id}/run`, {});
  const idle = await post("/tasks", {});
  const { secret: _, ...token } = { ...(await engine.tokens.create({ name: "t", role: "viewer" })).token, secret: "" };
  const preview = await post("/bulk", { action: "cancel", filter: { flow: "naps" } });
  const bulk = { action: "cancel", filter: { flow: "naps" }, token: (preview as unknown as { token: string }).token };
  const unknown = (rest: string, body?: unknown): Call => ({
    path: `/tasks/${UNKNOWN_ID}${rest}`,
    ...(body !== undefined && { body }),
    status: 404,
  });
  const past = { from: "2026-01-01T00:00:00Z", until: "2026-01-01T02:00:00Z" };
  return {
    "GET /": [{ path: "/", status: 200 }],
    "GET /openapi.json": [{ path: "/openapi.json", status: 200 }],
    "GET /events": [
      { path: "/events?kind=ended&flow=order", status: 200 },
      { path: "/events?error=timeout", status: 422 },
    ],
    "GET /metrics": [{ path: "/metrics", status: 200 }],
    "GET /healthz": [{ path: "/healthz?any=1", status: 200 }],
    "GET /readyz": [{ path: "/readyz?any=1", status: 200 }],
    "GET /workers": [{ path: "/workers", status: 200 }],
    "GET /session": [{ path: "/session", status: 200 }],
    "POST /session": [
      { path: "/session", body: { token: TOKEN }, status: 200 },
      { path: "/session", body: { token: "nope" }, status: 401 },
    ],
    "POST /session/end": [{ path: "/session/end", body: {}, status: 200 }],
    "GET /audit-log": [
      { path: "/audit-log?limit=5&way=http&since=2h", status: 200 },
      { path: "/audit-log?way=nope", status: 422 },
    ],
    "GET /audit-log/verify": [{ path: "/audit-log/verify", status: 200 }],
    "GET /tasks/{id}/trace": [{ path: `/tasks/${done.id}/trace`, status: 200 }, unknown("/trace")],
    "POST /tasks": [
      { path: "/tasks", body: { a: 3 }, headers: { "idempotency-key": "k" }, status: 201 },
      { path: "/tasks", body: { a: 3 }, headers: { "idempotency-key": "k" }, status: 200 },
      { path: "/tasks?wait=1m&tag=a=b&priority=1", body: {}, status: 201 },
      { path: "/tasks", body: { a: 4 }, headers: { "idempotency-key": "k" }, status: 409 },
      { path: "/tasks", body: { a: "3" }, status: 422 },
    ],
    "POST /flows/{name}/tasks": [
      { path: "/flows/naps/tasks", body: {}, status: 201 },
      { path: "/flows/nope/tasks", body: {}, status: 404 },
    ],
    "POST /flows/echo_add/tasks": [
      { path: "/flows/echo_add/tasks", body: { text: "x" }, status: 201 },
      { path: "/flows/echo_add/tasks", body: { text: 1 }, status: 422 },
    ],
    "POST /flows/order/tasks": [
      { path: "/flows/order/tasks", body: { sku: "abc", line: { sku: "a", lines: [] } }, status: 201 },
      { path: "/flows/order/tasks?wait=0ms", body: { sku: "abc" }, status: 202 },
      { path: "/flows/order/tasks", body: { sku: "a" }, status: 422 },
    ],
    "POST /flows/other/tasks": [{ path: "/flows/other/tasks", body: null, status: 201 }],
    "POST /flows/naps/tasks": [{ path: "/flows/naps/tasks", body: {}, status: 201 }],
    "GET /flows": [{ path: "/flows", status: 200 }],
    "GET /flows/{name}": [
      { path: "/flows/order", status: 200 },
      { path: "/flows/nope", status: 404 },
    ],
    "GET /tasks": [
      { path: "/tasks", status: 200 },
      { path: "/tasks?view=summary", status: 200 },
      { path: "/tasks?limit=1&flow=order&flow=other&status=FAILED&tag=a=b&since=2h", status: 200 },
      { path: "/tasks?limit=0", status: 422 },
    ],
    "GET /tasks/counts": [
      { path: "/tasks/counts?flow=order", status: 200 },
      { path: "/tasks/counts?status=x", status: 422 },
    ],
    "GET /tasks/{id}": [
      ...[done, failed, waits, doubtful].flatMap(({ id }) => [
        { path: `/tasks/${id}`, status: 200 },
        { path: `/tasks/${id}?view=summary`, status: 200 },
      ]),
      unknown(""),
      { path: "/tasks/nope", status: 422 },
    ],
    "GET /task-ids/{name}": [
      { path: "/task-ids/@last", status: 200 },
      { path: "/task-ids/..x", status: 422 },
    ],
    "POST /tasks/{id}/advance": [{ path: `/tasks/${idle.id}/advance`, status: 200 }, unknown("/advance")],
    "POST /tasks/{id}/run": [
      { path: `/tasks/${idle.id}/run`, body: { max_steps: 1 }, status: 409 },
      { path: `/tasks/${idle.id}/run`, status: 200 },
      unknown("/run", {}),
    ],
    "POST /tasks/{id}/signals/{name}": [
      { path: `/tasks/${waits.id}/signals/approved`, body: { by: "ada" }, status: 200 },
      { path: `/tasks/${waits.id}/signals/nope`, body: {}, status: 422 },
      { path: `/tasks/${failed.id}/signals/approved`, body: '"x"', status: 409 },
    ],
    "POST /tasks/{id}/signals/approved": [
      { path: `/tasks/${waits.id}/signals/approved`, body: { by: "ada" }, status: 200 },
      { path: `/tasks/${waits.id}/signals/approved`, body: {}, status: 422 },
    ],
    "POST /tasks/{id}/resolve": [
      { path: `/tasks/${doubtful.id}/resolve`, body: { output: 1, retry: true }, status: 422 },
      { path: `/tasks/${doubtful.id}/resolve`, body: { output: 1 }, status: 200 },
      { path: `/tasks/${done.id}/resolve`, body: { output: 1 }, status: 409 },
    ],
    "POST /tasks/{id}/fork": [
      { path: `/tasks/${done.id}/fork`, body: { from: 1, dry_run: true }, status: 200 },
      { path: `/tasks/${done.id}/fork?priority=2`, body: { from: 2 }, status: 201 },
      { path: `/tasks/${done.id}/fork`, body: { from: 99 }, status: 422 },
    ],
    "POST /tasks/{id}/cancel": [
      { path: `/tasks/${waits.id}/cancel`, body: { force: true }, status: 200 },
      unknown("/cancel", {}),
    ],
    "POST /tasks/{id}/retry": [
      { path: `/tasks/${failedAgain.id}/retry`, status: 200 },
      { path: `/tasks/${done.id}/retry`, body: {}, status: 409 },
    ],
    "POST /tasks/{id}/resume": [{ path: `/tasks/${done.id}/resume`, body: {}, status: 200 }, unknown("/resume")],
    "POST /bulk": [
      { path: "/bulk", body: { action: "cancel", filter: {} }, status: 200 },
      { path: "/bulk", body: bulk, status: 201 },
      { path: "/bulk", body: bulk, status: 200 },
      { path: "/bulk", body: { action: "nope", filter: {} }, status: 422 },
    ],
    "POST /purge": [
      { path: "/purge", body: { dry_run: true }, status: 200 },
      { path: "/purge", body: { filter: { nope: 1 } }, status: 422 },
    ],
    "POST /pauses": [
      { path: "/pauses", body: { flow: "naps", reason: "r", by: "ada" }, status: 201 },
      { path: "/pauses", body: { flow: "nope" }, status: 404 },
    ],
    "GET /pauses": [{ path: "/pauses", status: 200 }],
    "POST /pauses/end": [
      { path: "/pauses/end", body: { flow: "naps" }, status: 200 },
      { path: "/pauses/end", body: { flow: "naps" }, status: 404 },
    ],
    "GET /stats": [
      { path: "/stats?since=6h&flow=echo_add", status: 200 },
      { path: "/stats?since=yesterday", status: 422 },
    ],
    "GET /limits": [{ path: "/limits", status: 200 }],
    "POST /limits/{name}": [
      { path: "/limits/other", body: { running: 3, rate: { count: 1, per: "1m" } }, status: 200 },
      { path: "/limits/nope", body: { running: 3 }, status: 404 },
    ],
    "POST /limits/{name}/reset": [
      { path: "/limits/other/reset", status: 200 },
      { path: "/limits/nope/reset", body: {}, status: 404 },
    ],
    "GET /tokens": [{ path: "/tokens", status: 200 }],
    "POST /tokens": [
      { path: "/tokens", body: { name: "ci", role: "submit", flows: ["order"], expires_in: "1h" }, status: 201 },
      { path: "/tokens", body: { name: "ci", role: "king" }, status: 422 },
    ],
    "POST /tokens/{token}/rotate": [
      { path: `/tokens/${token.id}/rotate`, body: { grace: "1m" }, status: 200 },
      { path: "/tokens/nope/rotate", status: 404 },
    ],
    "POST /tokens/{token}/revoke": [
      { path: `/tokens/${token.id}/revoke`, status: 200 },
      { path: "/tokens/nope/revoke", status: 404 },
    ],
    "POST /schedules": [
      { path: "/schedules", body: { name: "hourly", flow: "naps", cron: "0 * * * *", input: {} }, status: 201 },
      { path: "/schedules", body: { name: "hourly", flow: "naps", every: "1h", input: {} }, status: 409 },
    ],
    "GET /schedules": [{ path: "/schedules?limit=5", status: 200 }],
    "GET /schedules/{name}": [
      { path: "/schedules/hourly", status: 200 },
      { path: "/schedules/nope", status: 404 },
    ],
    "GET /schedules/{name}/preview": [
      { path: "/schedules/hourly/preview?count=2", status: 200 },
      { path: "/schedules/nope/preview", status: 404 },
    ],
    "POST /schedules/{name}/pause": [
      { path: "/schedules/hourly/pause", body: { reason: "r" }, status: 200 },
      { path: "/schedules/nope/pause", status: 404 },
    ],
    "POST /schedules/{name}/resume": [
      { path: "/schedules/hourly/resume", status: 200 },
      { path: "/schedules/nope/resume", status: 404 },
    ],
    "POST /schedules/{name}/trigger": [
      { path: "/schedules/hourly/trigger", status: 201 },
      { path: "/schedules/nope/trigger", status: 404 },
    ],
    "POST /schedules/{name}/backfill": [
      { path: "/schedules/hourly/backfill", body: past, status: 200 },
      { path: "/schedules/nope/backfill", body: past, status: 404 },
    ],
    "POST /schedules/{name}/remove": [
      { path: "/schedules/hourly/remove", status: 200 },
      { path: "/schedules/hourly/remove", status: 404 },
    ],
  };
}

import { beforeEach, describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import { TaskonautError } from "../core/errors.ts";
import { SILENT, type LogFields } from "../core/log.ts";
import type { Task } from "../core/task.ts";
import { createApp } from "./app.ts";
import type { Problem } from "./errors.ts";
import { FakeTaskonaut } from "./fake-taskonaut.ts";

const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

let taskonaut: FakeTaskonaut;
let app: Hono;

beforeEach(() => {
  taskonaut = new FakeTaskonaut();
  app = createApp(taskonaut, { host: "127.0.0.1" });
});

async function post(
  path: string,
  body?: Bun.BodyInit,
  headers: Record<string, string> = { "Content-Type": "application/json" },
): Promise<Response> {
  return app.request(path, { method: "POST", headers, ...(body !== undefined && { body }) });
}

async function createTask(): Promise<Task> {
  return (await (await post("/tasks", "{}")).json()) as Task;
}

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ status: response.status, type: `urn:taskonaut:error:${problem.code}` });
  expect(problem.title).toBeString();
  expect(problem.detail).toBeString();
  expect(problem.detail).not.toBe("");
  return problem;
}

describe("one task's life", () => {
  test("POST /tasks creates a task with 201 and its Location, with defaults for what is not said", async () => {
    const response = await post("/tasks", "{}");
    const task = (await response.json()) as Task;
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(`/tasks/${task.id}`);
    expect(task).toMatchObject({ status: "PLANNED", input_payload: { text: "hello", a: 1, b: 2 } });
  });

  test("advance makes one transition, and changes nothing of a task that has ended", async () => {
    const { id } = await createTask();
    const seen: string[] = [];
    for (let i = 0; i < 6; i++) {
      const response = await post(`/tasks/${id}/advance`, undefined, {});
      expect(response.status).toBe(200);
      seen.push(((await response.json()) as Task).status);
    }
    expect(seen).toEqual([
      "RUNNING",
      "WAITING_OBSERVATION",
      "RUNNING",
      "WAITING_OBSERVATION",
      "COMPLETED",
      "COMPLETED",
    ]);
  });

  test.each([
    [undefined, {}],
    [undefined, { "Content-Type": "application/json" }],
    ["{}", undefined],
    ['{"max_steps":5}', undefined],
    ['{"max_steps":1000}', undefined],
    ['{"max_steps":5.0}', undefined],
  ])("run with the body %p and the headers %p ends COMPLETED", async (body, headers) => {
    const { id } = await createTask();
    const response = await post(`/tasks/${id}/run`, body, headers);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "COMPLETED" });
  });

  test.each([1, 2, 3, 4])("run with max_steps %d answers 409 and keeps what was done", async (steps) => {
    const { id } = await createTask();
    const response = await post(`/tasks/${id}/run`, `{"max_steps":${steps}}`);
    expect(response.status).toBe(409);
    expect((await problemOf(response)).detail).toBe(`Task ${id} did not reach terminal state within ${steps} steps`);
    expect(await (await app.request(`/tasks/${id}`)).json()).toMatchObject({ status: taskonaut.tasks.get(id)?.status });
  });

  test.each(["0", "1001", "1.5", '"5"', "true", "null", "-1"])(
    "run with max_steps %s answers 422 and names it",
    async (value) => {
      const { id } = await createTask();
      const response = await post(`/tasks/${id}/run`, `{"max_steps":${value}}`);
      expect(response.status).toBe(422);
      expect((await problemOf(response)).errors?.map((one) => one.path)).toEqual(["max_steps"]);
      expect(taskonaut.calls).not.toContain("runTask");
    },
  );

  test.each(["[]", "null", "5", '{"max_step":5}'])("run with the body %s answers 422", async (body) => {
    const { id } = await createTask();
    expect((await problemOf(await post(`/tasks/${id}/run`, body))).code).toBe("input_invalid");
  });

  test("an idempotency key gives its task again with 200, and 409 with another input", async () => {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": "order-1" };
    const first = await post("/tasks", "{}", headers);
    const second = await post("/tasks", '{"a":1.0}', headers);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(((await second.json()) as Task).id).toBe(((await first.json()) as Task).id);
    expect((await problemOf(await post("/tasks", '{"a":2}', headers))).code).toBe("idempotency_key_reused");
  });

  test.each(["", "k".repeat(256)])("an idempotency key that is empty or too long answers 422", async (key) => {
    const response = await post("/tasks", "{}", { "Content-Type": "application/json", "Idempotency-Key": key });
    expect((await problemOf(response)).errors?.[0]?.path).toBe("Idempotency-Key");
  });

  test("a named flow's tasks are created under its path", async () => {
    const response = await post("/flows/free/tasks", '["anything"]');
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ flow_name: "free", input_payload: ["anything"] });
    expect((await problemOf(await post("/flows/nope/tasks", "{}"))).code).toBe("flow_not_found");
  });

  test("flows are listed and described", async () => {
    expect(await (await app.request("/flows")).json()).toMatchObject([{ name: "echo_add" }, { name: "free" }]);
    expect(await (await app.request("/flows/echo_add")).json()).toMatchObject({ name: "echo_add", form: "plan" });
    expect((await app.request("/flows/%00")).status).toBe(404);
  });
});

describe("signals", () => {
  let id: string;

  beforeEach(async () => {
    ({ id } = (await (await post("/flows/free/tasks", "{}")).json()) as Task);
  });

  test("the body is the payload, and the answer is the task", async () => {
    const response = await post(`/tasks/${id.toUpperCase()}/signals/approved`, '{"by":"ann"}');
    expect([response.status, await response.json()]).toEqual([200, taskonaut.tasks.get(id)]);
    expect(taskonaut.signals).toEqual([{ name: "approved", payload: { by: "ann" } }]);
  });

  test.each([
    [undefined, {}, null],
    ["", { "Content-Type": "application/json" }, null],
    ["null", { "Content-Type": "application/json" }, null],
    ["[1]", { "Content-Type": "application/json" }, [1]],
    ['"x"', { "Content-Type": "application/json" }, "x"],
  ])("the body %p with the headers %p is the payload %p", async (body, headers, payload) => {
    expect((await post(`/tasks/${id}/signals/nudged`, body, headers)).status).toBe(200);
    expect(taskonaut.signals).toEqual([{ name: "nudged", payload }]);
  });

  test("a payload that breaks the signal's contract and a name that is not declared answer 422", async () => {
    const refused = await problemOf(await post(`/tasks/${id}/signals/approved`, '{"by":1,"at":2}'));
    expect(refused).toMatchObject({ status: 422, code: "input_invalid" });
    expect(refused.errors?.map((one) => one.path).toSorted()).toEqual(["at", "by"]);
    for (const name of ["nope", "%00", "a%2Fb", "x".repeat(5000)]) {
      expect((await problemOf(await post(`/tasks/${id}/signals/${name}`, "{}"))).status).toBe(422);
    }
    expect(taskonaut.signals).toEqual([]);
  });

  test("an idempotency key delivers once; with another payload it answers 409", async () => {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": "k" };
    for (let i = 0; i < 2; i++) expect((await post(`/tasks/${id}/signals/nudged`, "1", headers)).status).toBe(200);
    expect(taskonaut.signals).toEqual([{ name: "nudged", payload: 1, idempotencyKey: "k" }]);
    const reused = await problemOf(await post(`/tasks/${id}/signals/nudged`, "2", headers));
    expect(reused).toMatchObject({ status: 409, code: "idempotency_key_reused" });
    const tooLong = await post(`/tasks/${id}/signals/nudged`, "1", { ...headers, "Idempotency-Key": "k".repeat(256) });
    expect((await problemOf(tooLong)).errors?.[0]?.path).toBe("Idempotency-Key");
  });

  test("a task that has ended takes none: 409", async () => {
    await post(`/tasks/${id}/run`);
    const problem = await problemOf(await post(`/tasks/${id}/signals/nudged`));
    expect(problem).toMatchObject({ status: 409, code: "task_ended" });
  });

  test("a payload that is no JSON, or too large, is refused at the door", async () => {
    expect((await post(`/tasks/${id}/signals/nudged`, "{")).status).toBe(400);
    expect((await post(`/tasks/${id}/signals/nudged`, "9007199254740993")).status).toBe(422);
    expect((await post(`/tasks/${id}/signals/nudged`, `"${"x".repeat(70_000)}"`)).status).toBe(413);
    expect((await post(`/tasks/${id}/signals/nudged`, "1", { "Content-Type": "text/plain" })).status).toBe(415);
    expect(taskonaut.calls).not.toContain("signalTask");
  });

  test("what a flow takes is described with it", async () => {
    expect(await (await app.request("/flows/free")).json()).toMatchObject({
      signals: { approved: { type: "object" } },
    });
    expect(await (await app.request("/flows")).json()).toMatchObject([{ signals: {} }, { signals: { nudged: {} } }]);
  });
});

describe("cancel, retry and resume", () => {
  test("cancel ends a task, and changes nothing of one that has ended", async () => {
    const { id } = await createTask();
    for (let i = 0; i < 2; i++) {
      const response = await post(`/tasks/${id}/cancel`, undefined, {});
      expect([response.status, await response.json()]).toMatchObject([200, { id, status: "CANCELLED" }]);
    }
  });

  test("retry opens a task that FAILED; others answer 409 with the reason", async () => {
    const task = await createTask();
    const refused = await problemOf(await post(`/tasks/${task.id}/retry`));
    expect(refused).toMatchObject({ status: 409, code: "task_not_retryable" });
    expect(refused.detail).toContain("PLANNED");
    taskonaut.change(task, { status: "FAILED", error_message: "no" });
    expect(await (await post(`/tasks/${task.id}/retry`, "{}")).json()).toMatchObject({ status: "RUNNING" });
  });

  test("resume takes a parked task up; where the reason still stands it answers 409", async () => {
    const task = await createTask();
    taskonaut.change(task, { parked_reason: "The flow is another one." });
    taskonaut.staysParked = true;
    const refused = await problemOf(await post(`/tasks/${task.id}/resume`));
    expect(refused).toMatchObject({ status: 409, code: "task_parked" });
    expect(refused.detail).toContain("The flow is another one.");
    taskonaut.staysParked = false;
    expect(await (await post(`/tasks/${task.id}/resume`)).json()).toMatchObject({ parked_reason: null });
  });

  test.each(["cancel", "retry", "resume"])(
    "%s takes no body but an empty object, and knows its errors",
    async (name) => {
      const { id } = await createTask();
      for (const body of ["[]", "null", "5", '{"force":true}']) {
        expect((await problemOf(await post(`/tasks/${id}/${name}`, body))).code).toBe("input_invalid");
      }
      expect((await post(`/tasks/${id}/${name}`, "{")).status).toBe(400);
      expect(taskonaut.calls).not.toContain(`${name}Task`);
      expect((await problemOf(await post(`/tasks/${UNKNOWN_ID}/${name}`, "{}"))).code).toBe("task_not_found");
      expect((await problemOf(await post(`/tasks/1/${name}`))).code).toBe("task_id_invalid");
    },
  );
});

describe("lists", () => {
  test("GET /tasks gives all tasks as one array, newest first, whatever their number", async () => {
    for (const count of [0, 1, 99, 101, 200, 250]) {
      while (taskonaut.tasks.size < count) await createTask();
      const tasks = (await (await app.request("/tasks")).json()) as Task[];
      expect(tasks.map((task) => task.id)).toEqual([...taskonaut.tasks.keys()].toReversed());
    }
  });

  test("an empty last page leaves the array whole", async () => {
    for (let i = 0; i < 100; i++) await createTask();
    const listTasks = taskonaut.listTasks.bind(taskonaut);
    taskonaut.listTasks = async (request) =>
      request.cursor === undefined ? { ...(await listTasks(request)), next: "100" } : { tasks: [] };
    expect(((await (await app.request("/tasks")).json()) as Task[]).length).toBe(100);
  });

  test("limit and cursor give one page, and a Link to the next one", async () => {
    for (let i = 0; i < 5; i++) await createTask();
    const seen: string[] = [];
    let path: string | undefined = "/tasks?limit=2";
    for (let pages = 0; path !== undefined && pages < 10; pages++) {
      const response = await app.request(path);
      seen.push(...((await response.json()) as Task[]).map((task) => task.id));
      path = /^<(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual([...taskonaut.tasks.keys()].toReversed());
  });

  test.each(["0", "1001", "-1", "1.5", "", "x", "1e2"])("limit=%s answers 422", async (limit) => {
    expect((await problemOf(await app.request(`/tasks?limit=${limit}`))).errors?.[0]?.path).toBe("limit");
  });

  test("a cursor that is none answers 422", async () => {
    expect((await app.request("/tasks?cursor=x")).status).toBe(422);
  });
});

describe("errors", () => {
  test("an unknown task answers 404, an id that is none 422, and letter case does not matter", async () => {
    const missing = await problemOf(await app.request(`/tasks/${UNKNOWN_ID}`));
    expect(missing).toMatchObject({ status: 404, detail: `Task ${UNKNOWN_ID} not found` });
    for (const id of ["1", "%00", "%E0%A4%A", "%2e%2e%2f", "x".repeat(5000)]) {
      expect((await problemOf(await app.request(`/tasks/${id}`))).code).toBe("task_id_invalid");
    }
    const { id } = await createTask();
    expect((await app.request(`/tasks/${id.toUpperCase()}`)).status).toBe(200);
  });

  test("every violation is named at once, and nothing is created", async () => {
    const problem = await problemOf(await post("/tasks", '{"text":1,"a":"2","b":true,"c":3}'));
    expect(problem.status).toBe(422);
    expect(problem.errors?.map((one) => one.path).toSorted()).toEqual(["a", "b", "c", "text"]);
    expect(taskonaut.tasks.size).toBe(0);
  });

  test.each([
    '{"a":2.5}',
    '{"a":9007199254740992}',
    '{"a":9007199254740993.0}',
    '{"a":9007199254740991.4}',
    '{"a":0.99999999999999999999}',
    '{"a":1e400}',
    "[]",
    "null",
    '"x"',
    "[".repeat(60_000),
  ])("%p answers 422", async (body) => {
    const response = await post("/tasks", body);
    expect(response.status).toBe(422);
    expect((await problemOf(response)).errors).not.toBeEmpty();
  });

  test.each(['{"a":2.0}', '{"a":1e2}', '{"text":"\\u0000\\ud800"}', '\ufeff{"a":1}', '{"a":9007199254740991}'])(
    "%p is taken",
    async (body) => {
      expect((await post("/tasks", body)).status).toBe(201);
    },
  );

  test("text comes back exactly as it went in", async () => {
    const text = "\u0000 \ud800 \udc00x 😀 \u2028 ‮ ﷽";
    const response = await post("/tasks", JSON.stringify({ text }));
    expect(((await response.json()) as Task).input_payload).toMatchObject({ text });
  });

  test.each<[string, Bun.BodyInit]>([
    ["no JSON", "{"],
    ["NaN", '{"a":NaN}'],
    ["a comment", "{} // x"],
    ["white space alone", " "],
    ["invalid UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["an encoded surrogate", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
    ["nothing", ""],
  ])("%s answers 400", async (_, body) => {
    const response = await post("/tasks", body);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).code).toBe("body_invalid");
  });

  test("the place of a mistake in the JSON is said", async () => {
    expect((await problemOf(await post("/tasks", '{"a": 1,\n"b" 2}'))).detail).toContain("line 2, column 5");
  });

  test("a body over the limit answers 413, announced or chunked, and at the limit it is read", async () => {
    const body = JSON.stringify({ text: "x".repeat(64 * 1024 - '{"text":""}'.length) });
    expect((await post("/tasks", body)).status).toBe(201);
    const announced = await post("/tasks", "x", { "Content-Type": "application/json", "Content-Length": "65537" });
    expect(announced.headers.get("connection")).toBe("close");
    expect((await problemOf(announced)).code).toBe("body_too_large");
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1024).fill(0x20));
      },
    });
    expect((await post("/tasks", endless)).status).toBe(413);
    expect(pulled).toBeLessThan(80);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "multipart/form-data; boundary=json",
    "",
  ])("the content type %p answers 415", async (type) => {
    expect((await problemOf(await post("/tasks", "{}", { "Content-Type": type }))).status).toBe(415);
  });

  test.each([
    "application/json",
    "APPLICATION/JSON; charset=utf-8",
    "application/json;charset=utf-8",
    "application/vnd.api+json",
  ])("the content type %p is taken", async (type) => {
    expect((await post("/tasks", "{}", { "Content-Type": type })).status).toBe(201);
  });

  test.each([
    "/",
    "/nope",
    "/tasks/",
    `/tasks/${UNKNOWN_ID}/nope`,
    `/tasks/${UNKNOWN_ID}/signals`,
    "//tasks",
    "/TASKS",
    "/healthz/x",
  ])("%s is no route: 404", async (path) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await app.fetch(new Request(`http://localhost${path}`, { method }));
      expect((await problemOf(response)).code).toBe("route_not_found");
    }
  });

  test.each([
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
    const response = await app.request(path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    expect((await problemOf(response)).code).toBe("method_not_allowed");
  });

  test("HEAD works where GET does, without a body", async () => {
    for (const path of ["/tasks", "/tasks?limit=1", "/flows", "/healthz", "/readyz"]) {
      const response = await app.request(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    const refused = await app.request(`/tasks/${UNKNOWN_ID}/run`, { method: "HEAD" });
    expect([refused.status, refused.headers.get("allow"), await refused.text()]).toEqual([405, "POST", ""]);
  });

  test("while the database is gone everything but /healthz answers 503 with Retry-After", async () => {
    taskonaut.failure = new TaskonautError("database_unavailable", "The database does not answer.");
    const requests = ["/tasks", "/tasks?limit=1", `/tasks/${UNKNOWN_ID}`, "/readyz", "/flows"].map((path) =>
      app.request(path),
    );
    for (const response of await Promise.all([...requests, post("/tasks", "{}"), post(`/tasks/${UNKNOWN_ID}/run`)])) {
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      expect((await problemOf(response)).detail).toBe("The database does not answer.");
    }
    expect((await app.request("/healthz")).status).toBe(200);
  });

  test("a database that is behind makes /readyz say so", async () => {
    taskonaut.failure = new TaskonautError("database_behind", "Run taskonaut migrate.");
    expect(await problemOf(await app.request("/readyz"))).toMatchObject({ status: 503, code: "database_behind" });
  });

  test("a fault of ours is logged whole and told without its inner life", async () => {
    const logged: (LogFields | undefined)[] = [];
    app = createApp(taskonaut, { host: "127.0.0.1", log: { ...SILENT, error: (_, fields) => logged.push(fields) } });
    taskonaut.failure = new Error("secret: s3cr3t");
    const problem = await problemOf(await app.request("/flows"));
    expect(problem).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(problem)).not.toContain("s3cr3t");
    expect(logged).toEqual([{ error: taskonaut.failure }]);
  });

  test("every request is logged at debug with its answer's status", async () => {
    const logged: (LogFields | undefined)[] = [];
    app = createApp(taskonaut, { host: "127.0.0.1", log: { ...SILENT, debug: (_, fields) => logged.push(fields) } });
    await post("/tasks", "{}");
    await app.request("/nope");
    expect(logged).toMatchObject([
      { method: "POST", path: "/tasks", status: 201 },
      { method: "GET", path: "/nope", status: 404 },
    ]);
  });
});

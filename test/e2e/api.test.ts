// The HTTP contract through a real socket, on both stores: one task's life, lists, texts, and every error of its table.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Task } from "../../src/core/api/task.ts";
import type { Served } from "./served.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import { expectCompleted } from "./tasks.ts";

setDefaultTimeout(120_000);

const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const JSON_TYPE = { "Content-Type": "application/json" };

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;
  let server: Served;
  beforeAll(async () => {
    place = await openPlace(dialect);
    server = await place.serve();
  });
  afterAll(async () => {
    const { exit, stdout } = await server.stop();
    await place[Symbol.asyncDispose]();
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
  });

  const get = (path: string): Promise<Response> => fetch(server.url + path);
  const post = (path: string, body?: string, headers: Record<string, string> = JSON_TYPE): Promise<Response> =>
    fetch(server.url + path, { method: "POST", ...(body !== undefined && { body, headers }) });
  const taskOf = async (response: Response, status = 200): Promise<Task> => {
    expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/json"]);
    return (await response.json()) as Task;
  };
  const create = async (input: unknown = {}): Promise<Task> => taskOf(await post("/tasks", JSON.stringify(input)), 201);
  const listAll = async (): Promise<Task[]> => (await (await get("/tasks")).json()) as Task[];

  test("the task resource, field by field", async () => {
    const response = await post("/tasks", '{"text":"hello","a":2,"b":3}');
    const { id } = await taskOf(response.clone() as Response, 201);
    expect(response.headers.get("location")).toBe(`/tasks/${id}`);
    const task = await taskOf(await post(`/tasks/${id}/run`));
    const calls = ["echo", "add"].map((tool, index) => ({
      id: expect.stringMatching(UUID),
      task_id: id,
      task_step_id: task.steps[index]?.id,
      idempotency_key: `${id}:${task.steps[index]?.id}:${tool}`,
      tool_name: tool,
      status: "COMPLETED",
      retry_count: 0,
      last_error: null,
      started_at: expect.stringMatching(TIME),
      finished_at: expect.stringMatching(TIME),
      request_payload: [{ text: "hello" }, { a: 2, b: 3 }][index],
      response_payload: [{ text: "hello" }, { sum: 5 }][index],
      error_message: null,
      error: null,
      created_at: expect.stringMatching(TIME),
    }));
    expect(task).toMatchObject({
      id: expect.stringMatching(UUID),
      status: "COMPLETED",
      flow_name: "echo_add",
      current_step: 2,
      input_payload: { text: "hello", a: 2, b: 3 },
      output_payload: { echo: { text: "hello" }, add: { sum: 5 } },
      created_at: expect.stringMatching(TIME),
      updated_at: expect.stringMatching(TIME),
      steps: ["echo", "add"].map((name, index) => ({
        id: expect.stringMatching(UUID),
        task_id: id,
        step_index: index + 1,
        step_name: name,
        status: "COMPLETED",
        input_payload: calls[index]?.request_payload,
        output_payload: calls[index]?.response_payload,
        error_message: null,
        error: null,
        created_at: expect.stringMatching(TIME),
        updated_at: expect.stringMatching(TIME),
        tool_calls: [calls[index]],
      })),
      tool_calls: calls,
    });
    expect(await taskOf(await get(`/tasks/${id.toUpperCase()}`))).toEqual(task);
  });

  test("one task's life, call by call", async () => {
    const created = await create({ text: "hello", a: 2, b: 3 });
    const states = [created];
    for (let call = 0; call < 6; call++) states.push(await taskOf(await post(`/tasks/${created.id}/advance`)));
    const shape = (task: Task): unknown[] => [
      task.status,
      task.current_step,
      task.steps.map(({ status }) => status).join(" "),
      task.tool_calls.length,
      task.output_payload,
    ];
    const output = { echo: { text: "hello" }, add: { sum: 5 } };
    expect(states.map(shape)).toEqual([
      ["PLANNED", 0, "PLANNED PLANNED", 0, null],
      ["RUNNING", 0, "PLANNED PLANNED", 0, null],
      ["WAITING_OBSERVATION", 1, "COMPLETED PLANNED", 1, null],
      ["RUNNING", 1, "COMPLETED PLANNED", 1, null],
      ["WAITING_OBSERVATION", 2, "COMPLETED COMPLETED", 2, null],
      ["COMPLETED", 2, "COMPLETED COMPLETED", 2, output],
      ["COMPLETED", 2, "COMPLETED COMPLETED", 2, output],
    ]);
    expect(states[0]?.steps.map(({ input_payload }) => input_payload)).toEqual([{ text: "hello" }, { a: 2, b: 3 }]);
    expect(states[6]).toEqual(states[5]);
  });

  test("run makes at most max_steps transitions: 409 where that is too few, and everything done so far stays", async () => {
    for (const steps of [1, 2, 3, 4]) {
      const [one, other] = await Promise.all([create(), create()]);
      const response = await post(`/tasks/${one.id}/run`, JSON.stringify({ max_steps: steps }));
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({
        code: "max_steps_exhausted",
        detail: `Task ${one.id} did not reach terminal state within ${steps} steps`,
      });
      for (let call = 0; call < steps; call++) await post(`/tasks/${other.id}/advance`);
      const [run, advanced] = await Promise.all([get(`/tasks/${one.id}`), get(`/tasks/${other.id}`)]);
      const shape = ({ status, current_step, tool_calls }: Task): unknown => [status, current_step, tool_calls.length];
      expect(shape(await taskOf(run))).toEqual(shape(await taskOf(advanced)));
    }
    for (const body of [undefined, "{}", '{"max_steps":5}', '{"max_steps":1000}']) {
      expectCompleted(await taskOf(await post(`/tasks/${(await create()).id}/run`, body)));
    }
  });

  test("an Idempotency-Key gives its task again, and 409 with another input", async () => {
    const key = { ...JSON_TYPE, "Idempotency-Key": `key ${crypto.randomUUID()}` };
    const first = await taskOf(await post("/tasks", '{"a":5,"b":6}', key), 201);
    await post(`/tasks/${first.id}/run`);
    const again = await taskOf(await post("/tasks", '{"b":6,"a":5,"text":"hello"}', key), 200);
    expect([again.id, again.status]).toEqual([first.id, "COMPLETED"]);
    const other = await post("/tasks", '{"a":6}', key);
    expect([other.status, ((await other.json()) as { code: unknown }).code]).toEqual([409, "idempotency_key_reused"]);
    const racing = { ...JSON_TYPE, "Idempotency-Key": `key ${crypto.randomUUID()}` };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post("/tasks", "{}", racing)));
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as Task).id));
    expect(new Set(ids).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
  });

  test("a text comes back exactly, whatever it holds", async () => {
    const survives = async (text: string): Promise<void> => {
      const created = await create({ text });
      const { tool_calls, ...task } = await taskOf(await post(`/tasks/${created.id}/run`));
      const read = await taskOf(await get(`/tasks/${created.id}`));
      expect(task.output_payload).toEqual({ echo: { text }, add: { sum: 3 } });
      expect(read).toEqual({ ...task, tool_calls });
      expect(read.input_payload).toEqual({ text, a: 1, b: 2 });
    };
    await survives(
      "\u0000 \uD800 \uDC00x 😀 👩‍👩‍👧 שלום \u202Eabc\u202C ﷽ \u2028\u2029 \\u0000 \\ \" ' e\u0301 \uFEFF \uFFFF",
    );
    await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), survives), { numRuns: 30 });
  });

  describe("lists", () => {
    test("all tasks are one array, newest first, and pages lead through the same ones", async () => {
      for (let n = 0; n < 7; n++) await create({ a: n });
      const all = await listAll();
      expect(all.slice(0, 7).map(({ input_payload }) => (input_payload as { a: number }).a)).toEqual([
        6, 5, 4, 3, 2, 1, 0,
      ]);
      const times = all.map(({ created_at, id }) => `${created_at} ${id}`);
      expect(times).toEqual(times.toSorted().toReversed());
      const paged: Task[] = [];
      let next: string | undefined = "/tasks?limit=3";
      while (next !== undefined) {
        const response = await get(next);
        const page = (await response.json()) as Task[];
        paged.push(...page);
        next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
        expect([page.length > 0, page.length === 3 || next === undefined]).toEqual([true, true]);
      }
      expect(paged).toEqual(all);
      expect((await get(`/tasks?limit=${all.length}`)).headers.get("link")).toBeNull();
    });

    test("HEAD gives the headers alone", async () => {
      const response = await fetch(`${server.url}/tasks?limit=1`, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
      expect(response.headers.get("link")).toContain('rel="next"');
    });
  });

  test("flows are described, and their tasks created by name", async () => {
    const flows = (await (await get("/flows")).json()) as { name: string }[];
    expect(flows.map(({ name }) => name)).toEqual(["echo_add"]);
    expect(await (await get("/flows/echo_add")).json()).toMatchObject({
      form: "plan",
      input_schema: {
        properties: { text: { type: "string", default: "hello" }, a: { default: 1 }, b: { default: 2 } },
      },
    });
    expect((await taskOf(await post("/flows/echo_add/tasks", "{}"), 201)).flow_name).toBe("echo_add");
  });

  test("healthz and readyz answer", async () => {
    expect([(await get("/healthz")).status, (await get("/readyz")).status]).toEqual([200, 200]);
  });

  test("every error has its status, its code and words for people, and nothing half-written remains", async () => {
    const { id } = await create();
    const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);
    type Case = [status: number, code: string, method: string, path: string, body?: Bun.BodyInit, type?: string];
    const cases: Case[] = [
      [404, "task_not_found", "GET", `/tasks/${UNKNOWN_ID}`],
      [404, "task_not_found", "POST", `/tasks/${UNKNOWN_ID}/advance`],
      [404, "task_not_found", "POST", `/tasks/${UNKNOWN_ID}/run`],
      [404, "flow_not_found", "POST", "/flows/nope/tasks", "{}"],
      [404, "flow_not_found", "GET", "/flows/nope"],
      [404, "route_not_found", "GET", "/task-ids"],
      [404, "route_not_found", "POST", `/tasks/${id}/frob`],
      [405, "method_not_allowed", "DELETE", "/tasks"],
      [405, "method_not_allowed", "PUT", `/tasks/${id}`],
      [405, "method_not_allowed", "GET", `/tasks/${id}/run`],
      [422, "task_id_invalid", "GET", "/tasks/5"],
      [422, "task_id_invalid", "POST", "/tasks/5/advance"],
      [422, "task_id_invalid", "GET", `/tasks/${id}0`],
      [422, "task_id_invalid", "GET", "/tasks/%00"],
      [422, "input_invalid", "POST", "/tasks", '{"a":"2"}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":true}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":2.5}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":null}'],
      [422, "input_invalid", "POST", "/tasks", '{"text":5}'],
      [422, "input_invalid", "POST", "/tasks", '{"c":5}'],
      [422, "input_invalid", "POST", "/tasks", '{"__proto__":{"a":5}}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":9007199254740992}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":9007199254740993.0}'],
      [422, "input_invalid", "POST", "/tasks", '{"a":1e400}'],
      [422, "input_invalid", "POST", "/tasks", "[]"],
      [422, "input_invalid", "POST", "/tasks", "null"],
      [422, "input_invalid", "POST", "/tasks", "[".repeat(60_000)],
      [422, "input_invalid", "POST", `/tasks/${id}/run`, '{"max_steps":0}'],
      [422, "input_invalid", "POST", `/tasks/${id}/run`, '{"max_steps":1001}'],
      [422, "input_invalid", "POST", `/tasks/${id}/run`, '{"max_steps":"5"}'],
      [422, "input_invalid", "POST", `/tasks/${id}/run`, '{"steps":5}'],
      [422, "input_invalid", "POST", `/tasks/${id}/run`, "[]"],
      [422, "input_invalid", "GET", "/tasks?limit=0"],
      [422, "input_invalid", "GET", "/tasks?limit=1001"],
      [422, "input_invalid", "GET", "/tasks?limit=x"],
      [422, "input_invalid", "GET", "/tasks?cursor=x"],
      [422, "input_invalid", "GET", "/tasks?satus=FAILED"],
      [422, "input_invalid", "GET", `/tasks/${id}?view=all`],
      [422, "task_id_invalid", "GET", "/task-ids/5"],
      [405, "method_not_allowed", "POST", "/"],
      [400, "body_invalid", "POST", "/tasks"],
      [400, "body_invalid", "POST", "/tasks", "{"],
      [400, "body_invalid", "POST", "/tasks", '{"a":NaN}'],
      [400, "body_invalid", "POST", "/tasks", '{"a":Infinity}'],
      [400, "body_invalid", "POST", "/tasks", bytes(0x22, 0xff, 0x22)],
      [400, "body_invalid", "POST", "/tasks", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
      [400, "body_invalid", "POST", `/tasks/${id}/run`, "{"],
      [413, "body_too_large", "POST", "/tasks", JSON.stringify({ text: "x".repeat(64 * 1024) })],
      [413, "body_too_large", "POST", `/tasks/${id}/run`, " ".repeat(64 * 1024 + 1)],
      [415, "content_type_unsupported", "POST", "/tasks", "{}", "text/plain"],
      [415, "content_type_unsupported", "POST", "/tasks", "a=5", "application/x-www-form-urlencoded"],
      [415, "content_type_unsupported", "POST", `/tasks/${id}/run`, "{}", "text/plain"],
    ];
    const before = await listAll();
    for (const [status, code, method, path, body, type = "application/json"] of cases) {
      const headers = { "Content-Type": type };
      const response = await fetch(server.url + path, { method, ...(body !== undefined && { body, headers }) });
      const problem = (await response.json()) as Record<string, unknown>;
      const what = { method, path, body: typeof body === "string" ? body.slice(0, 50) : body };
      expect({ ...what, status: response.status, code: problem["code"] }).toEqual({ ...what, status, code });
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(problem).toMatchObject({
        type: `urn:taskonaut:error:${code}`,
        title: expect.stringMatching(/^[A-Z]/),
        status,
        detail: expect.stringMatching(/.{10}/),
      });
      if (code === "input_invalid") {
        expect(problem["errors"]).toContainEqual({ path: expect.any(String), message: expect.stringMatching(/.{5}/) });
      }
      if (status === 405) expect(response.headers.get("allow")).toMatch(/GET|POST/);
    }
    expect(await listAll()).toEqual(before);
  });

  test("every violation of a contract is told at once", async () => {
    const response = await post("/tasks", '{"text":1,"a":"2","b":true,"c":3}');
    const { detail, errors } = (await response.json()) as { detail: string; errors: { path: string }[] };
    expect(errors.map(({ path }) => path).toSorted()).toEqual(["a", "b", "c", "text"]);
    expect(detail).toContain("echo_add");
  });
});

test("TASKONAUT_MAX_INPUT_BYTES moves the limit of a body", async () => {
  await using place = await openPlace("sqlite", { TASKONAUT_MAX_INPUT_BYTES: "20" });
  const { url } = await place.serve();
  const statusOf = async (body: string): Promise<number> =>
    (await fetch(`${url}/tasks`, { method: "POST", body, headers: JSON_TYPE })).status;
  expect(await statusOf('{"text":"12345678901"}')).toBe(413);
  // within the limit as it comes, beyond it with the defaults filled in
  expect(await statusOf("{}")).toBe(413);
});

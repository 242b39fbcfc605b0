// The queue over the API: how a task gets into it, which worker has it, and how a step in doubt is settled.

import { beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import type { ResolveTask } from "../core/api/taskonaut.ts";
import type { Task, TaskStep } from "../core/api/task.ts";
import { apiInMemory } from "../../test/support/api.ts";
import type { Problem } from "./errors.ts";

const NOW = Date.parse("2026-11-23T03:39:25.130Z");

const api = apiInMemory();
const post = (path: string, body = "{}"): Promise<Response> => api.post(path, body);

async function refusedPaths(response: Response): Promise<readonly string[] | undefined> {
  const problem = (await response.json()) as Problem;
  expect([response.status, problem.code]).toEqual([422, "input_invalid"]);
  return problem.errors?.map(({ path }) => path);
}

describe.each(["/tasks", "/flows/free/tasks"])("POST %s", (path) => {
  test("alone puts nothing in the queue", async () => {
    expect(await (await post(path)).json()).toMatchObject({ status: "PLANNED", due_at: null, priority: 5 });
  });

  test.each([
    ["start=now", "2026-11-23T03:39:25.130Z", 5],
    ["start=2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z", 5],
    ["start=2026-11-24T09:00:00%2B01:00&priority=0", "2026-11-24T08:00:00.000Z", 0],
    // not encoded, so it arrives as a space
    ["start=2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00.000Z", 5],
    // a past time means now
    ["start=1999-12-31T23:59:59Z&priority=9", "2026-11-23T03:39:25.130Z", 9],
    ["priority=3", null, 3],
  ])("with %s makes a task that is due then", async (query, due_at, priority) => {
    setSystemTime(NOW);
    try {
      const response = await post(`${path}?${query}`);
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({ status: "PLANNED", due_at, priority });
    } finally {
      setSystemTime();
    }
  });

  test.each([
    ["start=", ["start"]],
    ["start=tomorrow", ["start"]],
    ["start=10m", ["start"]],
    ["start=2026-11-24T08:00:00", ["start"]],
    ["start=2026-02-30T08:00:00Z", ["start"]],
    ["priority=10", ["priority"]],
    ["priority=", ["priority"]],
    ["priority=-1", ["priority"]],
    ["start=now&priority=1.5", ["priority"]],
    ["start=soon&priority=high", ["start", "priority"]],
    ["strat=now", ["strat"]],
    ["start=now&max_steps=3&priority=high", ["max_steps", "priority"]],
    ["start=now&__proto__=1", ["__proto__"]],
    ["start=now&start=2026-11-24T08:00:00Z", ["start"]],
    ["priority=1&priority=1", ["priority"]],
  ])("with %s answers 422 and names every violation", async (query, paths) => {
    expect(await refusedPaths(await post(`${path}?${query}`))).toEqual(paths);
    expect(api.taskonaut.tasks.size).toBe(0);
  });

  test("a time without a zone is told what it lacks", async () => {
    const problem = (await (await post(`${path}?start=2026-11-24T08:00:00`)).json()) as Problem;
    expect(problem.detail).toContain("has no time zone: write 2026-11-24T08:00:00Z");
  });
});

test("GET /workers lists them", async () => {
  expect(await (await api.app.request("/workers")).json()).toEqual([]);
  api.taskonaut.workers = [
    {
      id: "w",
      name: "host:1",
      state: "alive",
      concurrency: 100,
      flows: ["echo_add"],
      codes: {},
      tasks: 3,
      started_at: "2026-11-23T03:39:25.130Z",
      lease_until: "2026-11-23T03:39:40.130Z",
    },
  ];
  expect(await (await api.app.request("/workers")).json()).toEqual(api.taskonaut.workers);
  const refused = await api.app.request("/workers", { method: "POST" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

describe("POST /tasks/{id}/resolve", () => {
  let id: string;

  beforeEach(async () => {
    const task = (await (await post("/flows/free/tasks")).json()) as Task;
    const step = { id: "s", step_index: 2, step_name: "pay", status: "RUNNING", doubt: "Its worker died." };
    ({ id } = api.taskonaut.change(task, { steps: [step as TaskStep] }));
  });

  test.each([
    ['{"output":{"paid":true}}', { resolution: { kind: "output", output: { paid: true } } }],
    ['{"output":null}', { resolution: { kind: "output", output: null } }],
    ['{"step":2,"retry":true}', { step: 2, resolution: { kind: "retry" } }],
    ['{"step":2,"fail":"no money"}', { step: 2, resolution: { kind: "fail", message: "no money" } }],
  ])("%s settles the step", async (body, request) => {
    const response = await post(`/tasks/${id}/resolve`, body);
    expect(response.status).toBe(200);
    expect(((await response.json()) as Task).id).toBe(id);
    expect(api.taskonaut.requests("resolveTask")).toEqual([[id, request as ResolveTask]]);
  });

  test.each<[string, string[]]>([
    ["{}", [""]],
    ['{"step":2}', [""]],
    ['{"retry":true,"fail":"x"}', [""]],
    ['{"output":1,"retry":true}', [""]],
    ['{"retry":false}', ["retry"]],
    ['{"fail":""}', ["fail"]],
    ['{"fail":null}', ["fail"]],
    ['{"retry":true,"step":0}', ["step"]],
    ['{"retry":true,"step":"2"}', ["step"]],
    ['{"retry":true,"now":1}', ["now"]],
    ["[]", [""]],
    ["null", [""]],
  ])("%s answers 422", async (body, paths) => {
    expect(await refusedPaths(await post(`/tasks/${id}/resolve`, body))).toEqual(paths);
    expect(api.taskonaut.calls).not.toContain("resolveTask");
  });

  test("no body at all answers 400, a task without a doubt 409", async () => {
    expect((await post(`/tasks/${id}/resolve`, "")).status).toBe(400);
    await post(`/tasks/${id}/resolve`, '{"retry":true}');
    const again = await post(`/tasks/${id}/resolve`, '{"retry":true}');
    expect([again.status, ((await again.json()) as Problem).code]).toEqual([409, "task_not_in_doubt"]);
  });
});

// The list of tasks: whole as a stream, or page by page.

import { describe, expect, test } from "bun:test";
import { summarize } from "../core/api/summarize.ts";
import type { Task } from "../core/api/task.ts";
import { apiInMemory, problemOf } from "../../test/support/api.ts";
import { plannedStep } from "../../test/support/tasks.ts";

const api = apiInMemory();
const { createTask } = api;

describe("lists", () => {
  test("GET /tasks gives all tasks as one array, newest first, whatever their number", async () => {
    for (const count of [0, 1, 99, 101, 200, 250]) {
      while (api.taskonaut.tasks.size < count) await createTask();
      const tasks = (await (await api.app.request("/tasks")).json()) as Task[];
      expect(tasks.map((task) => task.id)).toEqual([...api.taskonaut.tasks.keys()].toReversed());
    }
  });

  test("an empty last page leaves the array whole", async () => {
    for (let i = 0; i < 100; i++) await createTask();
    const listTasks = api.taskonaut.listTasks.bind(api.taskonaut);
    api.taskonaut.listTasks = async (request) =>
      request.cursor === undefined ? { ...(await listTasks(request)), next: "100" } : { tasks: [] };
    expect(((await (await api.app.request("/tasks")).json()) as Task[]).length).toBe(100);
  });

  test("limit and cursor give one page, and a Link to the next one", async () => {
    for (let i = 0; i < 5; i++) await createTask();
    const seen: string[] = [];
    let path: string | undefined = "/tasks?limit=2";
    for (let pages = 0; path !== undefined && pages < 10; pages++) {
      const response = await api.app.request(path);
      seen.push(...((await response.json()) as Task[]).map((task) => task.id));
      path = /^<(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual([...api.taskonaut.tasks.keys()].toReversed());
  });

  test.each(["0", "1001", "-1", "1.5", "", "x", "1e2"])("limit=%s answers 422", async (limit) => {
    expect((await problemOf(await api.app.request(`/tasks?limit=${limit}`))).errors?.[0]?.path).toBe("limit");
  });

  test("a cursor that is none answers 422", async () => {
    expect((await api.app.request("/tasks?cursor=x")).status).toBe(422);
  });
});

describe("?view=summary", () => {
  test("leaves payloads and copies out, of one task, of a page and of all", async () => {
    for (let i = 0; i < 3; i++) await api.taskonaut.runTask((await createTask()).id);
    const whole = [...api.taskonaut.tasks.values()].toReversed();
    const summaries = whole.map(summarize);
    const [first] = whole;
    const read = async (path: string): Promise<unknown> => (await api.app.request(path)).json();
    expect(await read(`/tasks/${first?.id}?view=summary`)).toEqual(summaries[0]);
    expect(await read("/tasks?view=summary")).toEqual(summaries);
    expect(await read("/tasks?view=summary&limit=2")).toEqual(summaries.slice(0, 2));
    expect(JSON.stringify(summaries)).not.toMatch(/_payload/);
  });

  test("goes on to the next page", async () => {
    for (let i = 0; i < 3; i++) await createTask();
    const { headers } = await api.app.request("/tasks?limit=2&view=summary");
    const next = /^<(.*)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1] ?? "";
    const [task] = (await (await api.app.request(next)).json()) as readonly object[];
    expect(task).not.toHaveProperty("input_payload");
    expect(task).toHaveProperty("steps");
  });

  test("does not touch the answer without it", async () => {
    const { id } = await createTask();
    expect(await (await api.app.request(`/tasks/${id}`)).text()).toBe(JSON.stringify(api.taskonaut.tasks.get(id)));
  });
});

describe("names of tasks", () => {
  test("the beginning of an id, and @last, are answered with the tasks that they may be", async () => {
    for (let i = 0; i < 12; i++) await createTask();
    const read = async (name: string): Promise<unknown> => (await api.app.request(`/task-ids/${name}`)).json();
    const [last] = [...api.taskonaut.tasks.values()].toReversed();
    const { id, status, flow_name, parked_reason, created_at } = last as Task;
    const told = { tasks: [{ id, status, flow_name, parked_reason, created_at }], more: false };
    expect(await read(id.toUpperCase())).toEqual(told);
    expect(await read("@last")).toEqual(told);
    expect(await read(encodeURIComponent("@last:echo_add"))).toEqual(told);
    const many = (await read("00000000")) as { tasks: readonly object[]; more: boolean };
    expect([many.tasks.length, many.more]).toEqual([10, true]);
    expect(await read("ffff")).toEqual({ tasks: [], more: false });
  });

  test("what is none answers 422", async () => {
    for (const name of ["xyz", "012", "%00", "@lsat"])
      expect((await problemOf(await api.app.request(`/task-ids/${name}`))).code).toBe("task_id_invalid");
  });
});

describe("streams", () => {
  test("a list of any length leaves the event loop a turn between its pages", async () => {
    let pages = 0;
    api.taskonaut.listTasks = async () => ({ tasks: [], ...(++pages < 50 && { next: `${pages}` }) });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (pages < 50) setImmediate(count);
    };
    setImmediate(count);
    expect(await (await api.app.request("/tasks")).json()).toEqual([]);
    expect(turns).toBeGreaterThanOrEqual(48);
  });

  test("a client that reads nothing makes the server read no more than it has", async () => {
    let pages = 0;
    const { task } = await api.taskonaut.createTask({ flow: "free", input: "x" });
    api.taskonaut.listTasks = async () => ({ tasks: [task], next: `${++pages}` });
    const response = await api.app.request("/tasks");
    const reader = response.body?.getReader();
    await reader?.read();
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toBe(1);
    await reader?.cancel();
  });

  test("a large task is answered in pieces, and is the same", async () => {
    const { task } = await api.taskonaut.createTask({ flow: "free", input: "x" });
    const steps = Array.from({ length: 20 }, (_, index) =>
      plannedStep({ step_index: index, output_payload: "ž".repeat(100_000) }),
    );
    const large = { ...task, recorded_bytes: 2_000_000, steps };
    api.taskonaut.getTask = async () => large;
    const response = await api.app.request(`/tasks/${task.id}`);
    expect(response.headers.get("content-type")).toBe("application/json");
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body as AsyncIterable<Uint8Array>) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(1_000_000);
    expect(Buffer.concat(pieces).toString()).toBe(JSON.stringify(large));
  });

  test("so is the summary of a task of many steps", async () => {
    const { task } = await api.taskonaut.createTask({ flow: "free", input: "x" });
    const steps = Array.from({ length: 5000 }, (_, index) => plannedStep({ step_index: index }));
    const summary = summarize({ ...task, recorded_bytes: 2_000_000, steps });
    api.taskonaut.getTaskSummary = async () => summary;
    const response = await api.app.request(`/tasks/${task.id}?view=summary`);
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body as AsyncIterable<Uint8Array>) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(3);
    expect(Buffer.concat(pieces).toString()).toBe(JSON.stringify(summary));
  });

  test("a damaged task stands in the list with what is wrong with it", async () => {
    const damaged = { id: "d", created_at: "2026-11-23T03:39:25.130Z", damage: "The record of task d is damaged." };
    api.taskonaut.listTasks = async () => ({ tasks: [damaged] });
    for (const path of ["/tasks", "/tasks?limit=5"])
      expect(await (await api.app.request(path)).json()).toEqual([damaged]);
  });
});

describe("?steps", () => {
  test("of the steps gives those that are asked for, those in doubt, and how many there are", async () => {
    const { id } = await api.taskonaut.runTask((await createTask()).id);
    const whole = api.taskonaut.tasks.get(id) as Task;
    const [one, two] = whole.steps;
    const planned = [3, 4].map((step_index) => plannedStep({ id: `s${step_index}`, task_id: id, step_index }));
    const steps = [one, { ...two, doubt: "its worker died" }, ...planned] as Task["steps"];
    const tool_calls = steps.map((step) => ({ task_step_id: step.id })) as unknown as Task["tool_calls"];
    api.taskonaut.tasks.set(id, { ...whole, steps, tool_calls });
    const read = async (query: string): Promise<Task> =>
      (await (await api.app.request(`/tasks/${id}?${query}`)).json()) as Task;
    const indexesOf = (task: Task | undefined): unknown => task?.steps.map(({ step_index }) => step_index);
    expect(indexesOf(await read("steps=3-9"))).toEqual([2, 3, 4]);
    expect(indexesOf(await read("steps=last&view=summary"))).toEqual([2, 4]);
    const none = await read("steps=none");
    expect(indexesOf(none)).toEqual([2]);
    expect(none.step_count).toBe(4);
    expect(none.tool_calls.map(({ task_step_id }) => task_step_id)).toEqual([two?.id ?? ""]);
    const response = await api.app.request("/tasks?limit=1&steps=last");
    expect(indexesOf(((await response.json()) as Task[])[0])).toEqual([2, 4]);
  });

  test("goes on to the next page", async () => {
    for (let i = 0; i < 3; i++) await createTask();
    const { headers } = await api.app.request("/tasks?limit=2&steps=none");
    expect(headers.get("link")).toContain("steps=none");
  });

  test.each(["2", "0-3", "4-2", "1-", "some", ""])("steps=%s is refused", async (steps) => {
    const { id } = await createTask();
    for (const path of [`/tasks/${id}`, "/tasks"])
      expect((await problemOf(await api.app.request(`${path}?steps=${steps}`))).errors?.[0]?.path).toBe("steps");
  });
});

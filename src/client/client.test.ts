import { describe, expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import type { CreateTask } from "../core/api/create-task.ts";
import type { ResolveTask } from "../core/api/taskonaut.ts";
import { fakeTask } from "../../test/support/fake-taskonaut.ts";
import { plannedStep } from "../../test/support/tasks.ts";
import { createClient } from "./client.ts";
import { tasksOf } from "../../test/support/listed.ts";
import { connectingClients, errorOf } from "../../test/support/client-and-server.ts";

const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

const { connect, atEnd } = connectingClients();

describe("client and server together", () => {
  test("a task's life is the same as at home", async () => {
    const { client, taskonaut } = await connect();
    const { task, created } = await client.createTask({ flow: "echo_add", input: { text: "\u0000 \ud800 ü", a: -5 } });
    expect(created).toBe(true);
    expect(task).toEqual(taskonaut.tasks.get(task.id) as typeof task);
    expect((await client.advanceTask(task.id.toUpperCase())).status).toBe("RUNNING");
    const refused = await errorOf(client.runTask(task.id, { maxSteps: 1 }));
    expect(refused).toMatchObject({
      code: "max_steps_exhausted",
      exit: 4,
      message: `Task ${task.id} did not reach terminal state within 1 steps`,
    });
    expect((await client.runTask(task.id)).status).toBe("COMPLETED");
    expect(await client.getTask(task.id)).toEqual(await taskonaut.getTask(task.id));
  });

  test("who waits is answered with what the task came to, or with how it stands", async () => {
    const { client, taskonaut } = await connect();
    const request = { flow: "echo_add", input: { a: 4 }, idempotencyKey: "w" };
    const made = await client.results.create(request, { waitMs: 1500.2 });
    expect(made).toMatchObject({ created: true, task: { status: "COMPLETED" } });
    expect(await client.results.create(request, { waitMs: 10 })).toMatchObject({ created: false });
    const open = { flow: "free", input: {}, idempotencyKey: "o" };
    expect(await client.results.create(open, { waitMs: 0 })).toMatchObject({
      created: true,
      task: { status: "PLANNED" },
    });
    expect(await client.results.create(open, { waitMs: 0 })).toMatchObject({ created: false });
    const begun = await client.results.begin({ flow: "echo_add", input: {} });
    expect((await client.results.await(begun.id, { waitMs: 1e9 })).status).toBe("PLANNED");
    expect((await begun.run({ maxSteps: 5 })).status).toBe("COMPLETED");
    expect(await client.results.awaitSummary(begun.id, { waitMs: -1 })).toEqual(await client.getTaskSummary(begun.id));
    expect(taskonaut.results.waits.map(({ waitMs }) => waitMs)).toEqual([1501, 10, 0, 0, 600_000, 0]);
  });

  test("a fork is made of what is asked for, as at home", async () => {
    const { client, taskonaut } = await connect();
    const { task } = await client.createTask({ flow: "echo_add", input: {} });
    const ended = await client.runTask(task.id);
    const request = { from: 2, set: { 1: { text: "x" } }, idempotencyKey: "f" };
    expect(await client.forks.preview(ended.id, request)).toEqual(await taskonaut.forks.preview(ended.id, request));
    const start = { ...request, start: "now", priority: 1, input: { a: 9 } } as const;
    const made = await client.forks.create(ended.id, start);
    expect(made).toMatchObject({ created: true, task: { priority: 1, forked_from: { task_id: ended.id, step: 2 } } });
    expect(taskonaut.forks.asked.at(-1)).toEqual(start);
    expect((await client.forks.create(ended.id, start)).created).toBe(false);
  });

  test("summaries and names of tasks are the same as at home", async () => {
    const { client, taskonaut } = await connect();
    for (let n = 0; n < 3; n++)
      await client.runTask((await client.createTask({ flow: "echo_add", input: {} })).task.id);
    const { id } = fakeTask(2);
    expect(await client.getTaskSummary(id)).toEqual(await taskonaut.getTaskSummary(id));
    for (let cursor: string | undefined; ;) {
      const request = { limit: 2, ...(cursor !== undefined && { cursor }) };
      const page = await client.listTaskSummaries(request);
      expect(page).toEqual(await taskonaut.listTaskSummaries(request));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    for (const name of [id, id.slice(0, 8), "@last", "@last:echo_add", "@last:nobody"])
      expect(await client.findTasks(name)).toEqual(await taskonaut.findTasks(name));
    expect((await errorOf(client.findTasks("../flows"))).code).toBe("task_id_invalid");
  });

  test("keys of a resource keep their order, and every field arrives", async () => {
    const { client, taskonaut } = await connect();
    const { task } = await client.createTask({ flow: "free", input: { z: 1, a: { __proto__: null, y: [], b: null } } });
    expect(JSON.stringify(task)).toBe(JSON.stringify(taskonaut.tasks.get(task.id)));
  });

  test("an idempotency key is passed on", async () => {
    const { client } = await connect();
    const request = { flow: "free", input: {}, idempotencyKey: "order 1" };
    const first = await client.createTask(request);
    expect(await client.createTask(request)).toEqual({ task: first.task, created: false });
    expect((await errorOf(client.createTask({ ...request, input: 1 }))).code).toBe("idempotency_key_reused");
    for (const idempotencyKey of ["", " a", "ü", "a\nb", "k".repeat(256)]) {
      const refused = await errorOf(client.createTask({ ...request, idempotencyKey }));
      expect(refused).toMatchObject({ code: "input_invalid", message: expect.stringContaining("travel in a header") });
    }
  });

  test("a signal arrives as it was sent, and its errors come back", async () => {
    const { client, taskonaut } = await connect();
    const { task } = await client.createTask({ flow: "free", input: {} });
    const sent = [
      { name: "approved", payload: { by: "\u0000 \ud800 ü" }, idempotencyKey: "k 1" },
      { name: "nudged", payload: null },
      { name: "nudged", payload: "" },
      { name: "nudged", payload: [] },
    ];
    for (const signal of sent) expect(await client.signalTask(task.id.toUpperCase(), signal)).toEqual(task);
    expect(taskonaut.signals).toEqual(sent);
    const refused = await errorOf(client.signalTask(task.id, { name: "approved", payload: { by: 1 } }));
    expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "by" }] });
    for (const name of ["nope", "..", "", "a/b", "\ud800"])
      expect((await errorOf(client.signalTask(task.id, { name, payload: null }))).code).toBe("input_invalid");
    const bigint = client.signalTask(task.id, { name: "nudged", payload: { n: 1n } });
    expect((await errorOf(bigint)).errors[0]?.path).toBe("n");
    const reused = client.signalTask(task.id, { name: "approved", payload: { by: "x" }, idempotencyKey: "k 1" });
    expect((await errorOf(reused)).code).toBe("idempotency_key_reused");
    const unsendable = client.signalTask(task.id, { name: "nudged", payload: null, idempotencyKey: "ü" });
    expect((await errorOf(unsendable)).code).toBe("input_invalid");
    await client.runTask(task.id);
    expect((await errorOf(client.signalTask(task.id, { name: "nudged", payload: null }))).code).toBe("task_ended");
  });

  test("how a task is queued is passed on", async () => {
    const { client } = await connect();
    const at = Date.parse("2100-01-02T03:04:05.006Z");
    for (const flow of ["echo_add", "free"]) {
      const create = async (queueing: Pick<CreateTask, "start" | "priority">): Promise<unknown> => {
        const { due_at, priority } = (await client.createTask({ flow, input: {}, ...queueing })).task;
        return [due_at, priority];
      };
      expect(await create({})).toEqual([null, 5]);
      expect(await create({ start: "now" })).toEqual([fakeTask(1).created_at, 5]);
      expect(await create({ start: at, priority: 0 })).toEqual(["2100-01-02T03:04:05.006Z", 0]);
      expect(await create({ priority: 9 })).toEqual([null, 9]);
    }
    const refused = await errorOf(client.createTask({ flow: "free", input: {}, start: "now", priority: 10 }));
    expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "priority" }] });
  });

  test("a trace is passed on, also where somebody waits; one that is none is told here", async () => {
    const { client, taskonaut } = await connect();
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const request = { flow: "free", input: {}, traceparent };
    await client.createTask(request);
    await client.results.create(request, { waitMs: 0 });
    const arrived = taskonaut.requests("createTask");
    expect(arrived.map(([made]) => made.traceparent)).toEqual([traceparent, traceparent]);
    const refused = await errorOf(client.createTask({ ...request, traceparent: "mine" }));
    expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "traceparent" }] });
  });

  test("how a step in doubt is settled arrives as it was said, and its errors come back", async () => {
    const { client, taskonaut } = await connect();
    const { task } = await client.createTask({ flow: "free", input: {} });
    const step = plannedStep({ step_index: 2, step_name: "pay", status: "RUNNING" });
    const sent: ResolveTask[] = [
      { resolution: { kind: "output", output: { by: "\u0000 \ud800 ü" } } },
      { step: 2, resolution: { kind: "output", output: null } },
      { step: 2, resolution: { kind: "retry" } },
      { resolution: { kind: "fail", message: "no money" } },
    ];
    for (const request of sent) {
      taskonaut.change(task, { steps: [{ ...step, doubt: "why" }] });
      expect((await client.getTask(task.id)).steps[0]?.doubt).toBe("why");
      expect((await client.resolveTask(task.id.toUpperCase(), request)).steps[0]?.doubt).toBeNull();
    }
    expect(taskonaut.requests("resolveTask").map(([, request]) => request)).toEqual(sent);
    const settled = await errorOf(client.resolveTask(task.id, { resolution: { kind: "retry" } }));
    expect(settled).toMatchObject({ code: "task_not_in_doubt", exit: 4 });
    const bigint = client.resolveTask(task.id, { resolution: { kind: "output", output: { n: 1n } } });
    expect((await errorOf(bigint)).errors[0]?.path).toBe("output.n");
  });

  test("workers are those of the server", async () => {
    const { client, taskonaut } = await connect();
    expect(await client.listWorkers()).toEqual([]);
    const times = { started_at: fakeTask(1).created_at, lease_until: fakeTask(1).created_at };
    taskonaut.workers = [
      { id: "w", name: "host:1", state: "dead", concurrency: 0, flows: [], codes: {}, tasks: 1, ...times },
    ];
    expect(await client.listWorkers()).toEqual(taskonaut.workers);
  });

  test("cancel, retry and resume are the same as at home", async () => {
    const { client, taskonaut } = await connect();
    const { task } = await client.createTask({ flow: "free", input: {} });
    expect((await errorOf(client.retryTask(task.id))).code).toBe("task_not_retryable");
    taskonaut.change(task, { status: "FAILED" });
    expect((await client.retryTask(task.id)).status).toBe("RUNNING");
    const waiting_for = [{ kind: "child", name: "f", until: null, task_id: UNKNOWN_ID }] as const;
    const parked = taskonaut.change(task, { parked_reason: "why", parent_task_id: UNKNOWN_ID, waiting_for });
    expect(await client.getTask(task.id)).toEqual(parked);
    taskonaut.staysParked = true;
    expect(await errorOf(client.resumeTask(task.id))).toMatchObject({ code: "task_parked", exit: 4 });
    taskonaut.staysParked = false;
    expect((await client.resumeTask(task.id)).parked_reason).toBeNull();
    expect((await client.cancelTask(task.id.toUpperCase())).status).toBe("CANCELLED");
    expect((await client.cancelTask(task.id, { force: true })).status).toBe("CANCELLED");
    expect(taskonaut.requests("cancelTask").map(([, options]) => options)).toEqual([{ force: false }, { force: true }]);
    for (const act of ["cancelTask", "retryTask", "resumeTask"] as const) {
      expect((await errorOf(client[act]("nope"))).code).toBe("task_id_invalid");
      expect((await errorOf(client[act](UNKNOWN_ID))).code).toBe("task_not_found");
    }
  });

  test("lists are paged through to their end", async () => {
    const { client, taskonaut } = await connect();
    for (let i = 0; i < 5; i++) await taskonaut.createTask({ flow: "free", input: i });
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTasks({ limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...tasksOf(page).map((task) => task.input_payload));
      cursor = page.next;
    } while (cursor !== undefined && seen.length < 10);
    expect(seen).toEqual([4, 3, 2, 1, 0]);
  });

  test("flows are listed and described, and the server says whether it is ready", async () => {
    const { client, taskonaut } = await connect();
    expect((await client.listFlows()).map((flow) => flow.name)).toEqual(["echo_add", "free"]);
    expect(await client.describeFlow("free")).toEqual(await taskonaut.describeFlow("free"));
    await client.checkReady();
    taskonaut.failure = new TaskonautError("database_behind", "Run taskonaut migrate.");
    expect(await errorOf(client.checkReady())).toMatchObject({
      code: "database_behind",
      message: "Run taskonaut migrate.",
    });
    await client.close();
    expect(taskonaut.closed).toBe(0);
  });

  test("errors arrive as they were thrown, violations and all", async () => {
    const { client } = await connect();
    expect(await errorOf(client.getTask(UNKNOWN_ID))).toMatchObject({
      code: "task_not_found",
      message: `Task ${UNKNOWN_ID} not found`,
    });
    const invalid = await errorOf(client.createTask({ flow: "echo_add", input: { a: "2", c: 1 } }));
    expect(invalid.code).toBe("input_invalid");
    expect(invalid.errors.map((one) => one.path).toSorted()).toEqual(["a", "c"]);
    for (const flow of ["nope", "..", "", "a/b", "\ud800"]) {
      expect((await errorOf(client.createTask({ flow, input: {} }))).code).toBe("flow_not_found");
    }
    for (const id of ["1", "..", "", "../flows", "\ud800"])
      expect((await errorOf(client.getTask(id))).code).toBe("task_id_invalid");
    expect((await errorOf(client.createTask({ flow: "free", input: { when: new Date(0) } }))).errors[0]?.path).toBe(
      "when",
    );
  });

  test("a token is sent, and a wrong one is said to be wrong", async () => {
    const { client, url } = await connect({ token: "s3cret" });
    expect(await client.listFlows()).toBeArray();
    for (const token of [undefined, "", "other"]) {
      expect((await errorOf(createClient({ baseUrl: url, token }).listFlows())).code).toBe("unauthorized");
    }
  });

  test("a path before the routes and a slash at the end of the base URL do not matter", async () => {
    const { url, taskonaut } = await connect();
    for (let i = 0; i < 3; i++) await taskonaut.createTask({ flow: "free", input: i });
    const proxy = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => fetch(url + request.url.slice(request.url.indexOf("/prefix") + "/prefix".length)),
    });
    atEnd(() => proxy.stop(true));
    for (const base of [`${proxy.url.origin}/prefix`, `${proxy.url.origin}/prefix//`]) {
      expect((await createClient({ baseUrl: base }).listTasks({ limit: 2 })).next).toBe("2");
    }
    expect(await createClient({ baseUrl: `${url}/` }).listFlows()).toBeArray();
  });
});

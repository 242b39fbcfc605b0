// Operations on many tasks: what they act on, what comes of it, and that each task is acted on once.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BULK_FLOW, type BulkRequest, type BulkTotals, totalsOf } from "../../src/core/api/bulk.ts";
import type { Task } from "../../src/core/api/task.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, runChild, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { BulkOperations } from "../../src/engine/driving/bulk/bulk-operations.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { Store } from "../../src/store/store.ts";
import { plannedRecord } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { benchOn } from "../support/bench.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** A world in which a tool fails for as long as it is told to. */
class Trouble {
  isOver = false;
  calls = 0;
  readonly tool = defineTool({
    name: "charge",
    input: v.unknown(),
    output: v.string(),
    retry: { attempts: 1 },
    run: () => {
      this.calls += 1;
      if (!this.isOver) throw new Error("connection refused");
      return "paid";
    },
  });
}

const nameOf = (): string => `flow_${crypto.randomUUID().replaceAll("-", "")}`;

const paying = (trouble: Trouble): Flow =>
  defineFlow({
    name: nameOf(),
    input: v.unknown(),
    *run() {
      return yield* call(trouble.tool, 1);
    },
  });

const asking = (cleaned: string[] = []): Flow => {
  const clean = defineTool({
    name: "clean",
    input: v.string(),
    output: v.string(),
    run: (id) => {
      cleaned.push(id);
      return id;
    },
  });
  return defineFlow({
    name: nameOf(),
    input: v.unknown(),
    signals: { go: v.strictObject({ by: v.string() }) },
    *run() {
      try {
        return yield* waitForSignal("go");
      } finally {
        yield* call(clean, "cleaned");
      }
    },
  });
};

/** Shows it, starts it, and drives it here. */
async function carryOut(engine: Engine, request: BulkRequest): Promise<{ task: Task; totals: BulkTotals }> {
  const { token } = await engine.bulk.preview(request);
  const { task } = await engine.bulk.start({ ...request, token });
  const done = await engine.runTask(task.id);
  expect(done).toMatchObject({ flow_name: BULK_FLOW, status: "COMPLETED" });
  expect(done.output_payload).toEqual(totalsOf(done) as never);
  return { task: done, totals: totalsOf(done) };
}

const reasons = (all: BulkTotals["skipped"]): readonly (readonly [string, number])[] =>
  all.map(({ reason, tasks }) => [reason, tasks] as const);

describe.each(DATABASES)("operations on many tasks on %s", (_name, create) => {
  const bench = benchOn(create);

  const make = async (engine: Engine, flow: Flow, count: number, run = true): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const { id } = (await engine.createTask({ flow: flow.name, input: {} })).task;
      if (run) await engine.runTask(id);
      ids.push(id);
    }
    return ids;
  };
  const statuses = async (engine: Engine, ids: readonly string[]): Promise<string[]> =>
    Promise.all(ids.map(async (id) => (await engine.getTask(id)).status));

  test("a preview counts what matches, shows the newest, and changes nothing", async () => {
    const trouble = new Trouble();
    const flow = paying(trouble);
    const engine = await bench.openEngine({ flows: [flow] });
    const ids = await make(engine, flow, 7);
    await make(engine, flow, 2, false);
    const preview = await engine.bulk.preview({ action: "retry", filter: { flow: [flow.name] } });
    expect(preview).toMatchObject({ action: "retry", tasks: 7, more: false });
    expect(preview.sample.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 5));
    expect(await engine.bulk.preview({ action: "cancel", filter: { flow: [flow.name] } })).toMatchObject({ tasks: 2 });
    const none = { action: "retry", filter: { flow: [flow.name], status: ["COMPLETED"] } } as const;
    expect(await engine.bulk.preview(none)).toMatchObject({ tasks: 0, sample: [] });
    expect(new Set(await statuses(engine, ids))).toEqual(new Set(["FAILED"]));
  });

  test("a token is of one operation, and starts it once", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const request: BulkRequest = { action: "cancel", filter: { flow: [flow.name], since: "2h" } };
    const { token } = await engine.bulk.preview(request);
    const { task, created } = await engine.bulk.start({ ...request, token });
    expect(created).toBe(true);
    expect(await engine.bulk.start({ ...request, token })).toMatchObject({ created: false, task: { id: task.id } });
    for (const other of [
      { ...request, action: "delete" },
      { ...request, filter: { flow: [flow.name], since: "3h" } },
      { ...request, filter: {} },
      { ...request, action: "signal", signal: { name: "go", payload: { by: "me" } } },
    ] as const) {
      const refused = await rejection(engine.bulk.start({ ...other, token }));
      expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "token" }] });
    }
    // the moment is part of what was shown, also where no time is in the filter
    const plain: BulkRequest = { action: "cancel", filter: { flow: [flow.name] } };
    const [at = "", digest = ""] = (await engine.bulk.preview(plain)).token.split("-");
    for (const wrong of ["x", `${Number(at) + 60_000}-${digest}`]) {
      const refused = await rejection(engine.bulk.start({ ...plain, token: wrong }));
      expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "token" }] });
    }
    await engine.cancelTask(task.id);
  });

  test("a duration in its filter counts before the moment at which it was shown", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const store = await bench.openStore();
    const at = Date.now() - 3 * 3_600_000;
    const old = plannedRecord({ flow_name: flow.name, created_at: at, updated_at: at });
    await store.insertTasks([old]);
    const [recent = ""] = await make(engine, flow, 1, false);
    const filter = { flow: [flow.name], since: "2h" };
    expect(await engine.bulk.preview({ action: "cancel", filter })).toMatchObject({
      tasks: 1,
      sample: [{ id: recent }],
    });
    await carryOut(engine, { action: "cancel", filter: { flow: [flow.name], until: "2h" } });
    expect(await statuses(engine, [recent, old.task.id])).toEqual(["PLANNED", "CANCELLED"]);
    const older = plannedRecord({ flow_name: flow.name, created_at: at - 1, updated_at: at - 1 });
    await store.insertTasks([older]);
    expect((await carryOut(engine, { action: "cancel", filter })).totals).toMatchObject({ done: 1 });
    expect(await statuses(engine, [recent, older.task.id])).toEqual(["CANCELLED", "PLANNED"]);
  });

  test("nobody creates such a task by another way, and its flow is in no list", async () => {
    const engine = await bench.openEngine();
    expect(await rejection(engine.createTask({ flow: BULK_FLOW, input: {} }))).toMatchObject({
      code: "flow_not_found",
    });
    expect((await engine.listFlows()).map(({ name }) => name)).toEqual(["echo_add"]);
  });

  test("cancel ends at once what nobody has begun, and tells all others", async () => {
    const cleaned: string[] = [];
    const flow = asking(cleaned);
    const engine = await bench.openEngine({ flows: [flow] });
    const planned = await make(engine, flow, 3, false);
    const begun = await make(engine, flow, 2);
    const { totals } = await carryOut(engine, { action: "cancel", filter: { flow: [flow.name] } });
    expect(totals).toEqual({ done: 5, pending: 2, skipped: [], failed: [] });
    expect(await statuses(engine, planned)).toEqual(["CANCELLED", "CANCELLED", "CANCELLED"]);
    for (const id of planned)
      expect(await engine.getTask(id)).toMatchObject({ left_undone: null, finished_at: expect.any(String) });
    await engine.startWorker({ concurrency: 5 });
    for (const id of begun) expect((await ended(engine, id)).status).toBe("CANCELLED");
    expect(cleaned).toHaveLength(2);
  });

  test("by force cancel ends all at once without their clean-up, also where a flow is lost", async () => {
    const cleaned: string[] = [];
    const flow = asking(cleaned);
    const lost = asking(cleaned);
    const before = await bench.openEngine({ flows: [flow, lost] });
    const ids = [
      ...(await make(before, lost, 2)),
      ...(await make(before, flow, 1)),
      ...(await make(before, flow, 2, false)),
    ];
    await before.close();
    const engine = await bench.openEngine({ flows: [flow] });
    const known = await make(engine, flow, 2);
    const request: BulkRequest = { action: "cancel", filter: { flow: [flow.name, lost.name] }, force: true };
    expect(await engine.bulk.preview(request)).toMatchObject({ force: true, tasks: 7 });
    const { totals } = await carryOut(engine, request);
    expect(totals).toEqual({ done: 7, pending: 0, skipped: [], failed: [] });
    expect(new Set(await statuses(engine, [...ids, ...known]))).toEqual(new Set(["CANCELLED"]));
    expect(await engine.getTask(ids[0] ?? "")).toMatchObject({ left_undone: [{ what: "given_up" }] });
    expect(cleaned).toEqual([]);
  });

  test("force belongs to cancel alone, and to what was shown", async () => {
    const engine = await bench.openEngine();
    const refused = await rejection(engine.bulk.preview({ action: "retry", filter: {}, force: true }));
    expect(refused).toMatchObject({ code: "input_invalid", errors: [{ path: "force" }] });
    const request: BulkRequest = { action: "cancel", filter: { flow: ["echo_add"] } };
    const { token } = await engine.bulk.preview(request);
    const other = await rejection(engine.bulk.start({ ...request, force: true, token }));
    expect(other).toMatchObject({ code: "input_invalid", errors: [{ path: "token" }] });
  });

  test("a plan that nobody has begun is cancelled with its steps, and a child tells its parent", async () => {
    const child = defineFlow({ name: nameOf(), input: v.unknown(), plan: () => [] });
    const parent = defineFlow({
      name: nameOf(),
      input: v.unknown(),
      *run() {
        return yield* runChild(child, {});
      },
    });
    // the process that has the parent has not the child: it stays PLANNED
    const engine = await bench.openEngine({ flows: [parent] });
    const { task } = await engine.createTask({ flow: parent.name, input: {} });
    const waits = await engine.runTask(task.id);
    expect(waits.status).toBe("WAITING_OBSERVATION");
    const echo = (await engine.createTask({ flow: "echo_add", input: {} })).task.id;
    const { totals } = await carryOut(engine, { action: "cancel", filter: { flow: [child.name, "echo_add"] } });
    expect(totals).toMatchObject({ done: 2, pending: 0 });
    expect((await engine.getTask(echo)).steps.map(({ status }) => status)).toEqual(["CANCELLED", "CANCELLED"]);
    const failed = await engine.runTask(task.id);
    expect(failed).toMatchObject({ status: "FAILED", error_message: expect.stringContaining("cancelled") });
  });

  test("retry opens each failed task once, also where it fails again at once", async () => {
    const trouble = new Trouble();
    const flow = paying(trouble);
    const engine = await bench.openEngine({ flows: [flow] });
    const ids = await make(engine, flow, 4);
    await engine.startWorker({ concurrency: 4 });
    const request: BulkRequest = { action: "retry", filter: { flow: [flow.name], error: "REFUSED" } };
    const first = await carryOut(engine, request);
    expect(first.totals).toMatchObject({ done: 4, skipped: [], failed: [] });
    for (const id of ids) await ended(engine, id);
    expect(trouble.calls).toBe(8);
    trouble.isOver = true;
    await carryOut(engine, request);
    for (const id of ids)
      expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: "paid" });
    expect(trouble.calls).toBe(12);
    expect((await carryOut(engine, request)).totals).toMatchObject({ done: 0 });
  });

  test("the next page is read while one is written, and a page that no time is left for belongs to the next portion", async () => {
    const flow = paying(new Trouble());
    const events: string[] = [];
    const engine = await bench.openEngine({
      flows: [flow],
      around: (store) => ({
        ...store,
        listTasks: (page) => {
          events.push("read");
          return store.listTasks(page);
        },
        commitChanges: (changes) => {
          events.push("write");
          return store.commitChanges(changes);
        },
      }),
    });
    const creating = Array.from({ length: 501 }, () => engine.createTask({ flow: flow.name, input: {} }));
    await Promise.all(creating);
    const request: BulkRequest = { action: "cancel", filter: { flow: [flow.name] } };
    const { token } = await engine.bulk.preview(request);
    const { task } = await engine.bulk.start({ ...request, token });
    const operations = engine.bulk as BulkOperations;
    const portion = { taskId: task.id, after: null, ms: 0, signal: new AbortController().signal };
    const first = await operations.doPortion(portion);
    expect(first).toMatchObject({ done: 250, next: expect.anything() });
    expect(events.slice(0, 3)).toEqual(["read", "read", "write"]);
    const second = await operations.doPortion({ ...portion, after: first.next });
    const third = await operations.doPortion({ ...portion, after: second.next });
    expect([second, third]).toMatchObject([{ done: 250 }, { done: 1, next: null }]);
    await engine.cancelTask(task.id);
  });

  test("a portion that is done again opens no task again that has failed since, whatever the clocks say", async () => {
    const trouble = new Trouble();
    const flow = paying(trouble);
    const late = {
      now: () => Date.now() - 3_600_000,
      sleep: (ms: number) => systemClock.sleep(ms),
      elapsed: () => systemClock.elapsed(),
    };
    const engine = await bench.openEngine({ flows: [flow], clock: late });
    const ids = await make(engine, flow, 2);
    const request: BulkRequest = { action: "retry", filter: { flow: [flow.name] } };
    const { token } = await engine.bulk.preview(request);
    const { task } = await engine.bulk.start({ ...request, token });
    const portion = { taskId: task.id, after: null, ms: 1000, signal: new AbortController().signal };
    const operations = engine.bulk as BulkOperations;
    expect(await operations.doPortion(portion)).toMatchObject({ done: 2, next: null });
    for (const id of ids) expect((await engine.runTask(id)).status).toBe("FAILED");
    expect(await operations.doPortion(portion)).toMatchObject({ done: 0 });
    expect(trouble.calls).toBe(4);
    await engine.cancelTask(task.id);
  });

  test("what cannot be retried is passed over with its reason", async () => {
    const flow = defineFlow({
      name: nameOf(),
      input: v.unknown(),
      run: function* () {
        yield* call(new Trouble().tool, 1, { as: "none" });
        throw new Error("never");
      },
    });
    const mended = defineFlow({
      name: nameOf(),
      input: v.unknown(),
      // oxlint-disable-next-line require-yield
      *run(): Generator<never, never> {
        throw new Error("the flow itself");
      },
    });
    const engine = await bench.openEngine({ flows: [flow, mended] });
    await make(engine, mended, 3);
    const { totals } = await carryOut(engine, { action: "retry", filter: { flow: [mended.name] } });
    expect(totals.done).toBe(0);
    expect(reasons(totals.skipped)).toEqual([[expect.stringContaining("The task cannot be retried"), 3]]);
    const other = await bench.openEngine({ flows: [flow] });
    const unloaded = await carryOut(other, { action: "retry", filter: { flow: [mended.name] } });
    expect(reasons(unloaded.totals.failed)).toEqual([[expect.stringContaining("not loaded here"), 3]]);
  });

  test("a signal reaches each waiting task once, and a payload that breaks the contract none", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const ids = await make(engine, flow, 3);
    const filter = { flow: [flow.name] };
    const wrong = { action: "signal", filter, signal: { name: "go", payload: {} } } as const;
    expect(await rejection(engine.bulk.preview(wrong))).toMatchObject({ code: "input_invalid" });
    const right = { action: "signal", filter, signal: { name: "go", payload: { by: "all" } } } as const;
    expect((await carryOut(engine, right)).totals).toMatchObject({ done: 3 });
    await engine.startWorker({ concurrency: 3 });
    for (const id of ids) expect(await ended(engine, id)).toMatchObject({ output_payload: { by: "all" } });
  });

  /** As a worker leaves a task that it cannot go on with. */
  async function park(store: Store, id: string): Promise<void> {
    const record = await store.readTask(id);
    if (!record) throw new Error("It is there.");
    const { version, status, updated_at } = record.task;
    const parked = { parked_reason: "for the test", parked_code: null, due_at: null };
    const task = { ...record.task, ...parked, version: version + 1, updated_at: Math.max(updated_at, Date.now()) };
    const none = { newSteps: [], changedSteps: [], newCalls: [], changedCalls: [], consumed: [], posts: [] };
    const change = { taskId: id, expectedVersion: version, expectedOwner: null, fromStatus: status };
    const one = { ...change, ...none, reopens: false, retags: false, task };
    expect(await store.commitChanges([one])).toEqual([true]);
  }

  test("parked tasks are resumed, and no others", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const ids = await make(engine, flow, 3);
    const store = await bench.openStore();
    for (const id of ids.slice(0, 2)) await park(store, id);
    const fresh = await bench.openEngine({ flows: [flow] });
    const request: BulkRequest = { action: "resume", filter: { flow: [flow.name] } };
    expect((await carryOut(fresh, request)).totals).toMatchObject({ done: 2, skipped: [], failed: [] });
    for (const id of ids) expect((await fresh.getTask(id)).parked_reason).toBeNull();
  });

  test("a task that is parked again since it was shown is not resumed again", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const [id = ""] = await make(engine, flow, 1);
    const store = await bench.openStore();
    await park(store, id);
    const fresh = await bench.openEngine({ flows: [flow] });
    const request: BulkRequest = { action: "resume", filter: { flow: [flow.name] } };
    const { token, tasks } = await fresh.bulk.preview(request);
    expect(tasks).toBe(1);
    const { task } = await fresh.bulk.start({ ...request, token });
    await until(() => Date.now() > Number(token.split("-")[0]));
    await park(store, id);
    expect(totalsOf(await fresh.runTask(task.id))).toMatchObject({ done: 0 });
    expect((await fresh.getTask(id)).parked_reason).toBe("for the test");
  });

  test("delete removes what has ended, and passes over what may not go", async () => {
    const flow = asking();
    const parent = defineFlow({
      name: nameOf(),
      input: v.unknown(),
      signals: { go: v.unknown() },
      *run() {
        yield* runChild(flow, {});
        yield* waitForSignal("go");
      },
    });
    const engine = await bench.openEngine({ flows: [flow, parent] });
    const [open = ""] = await make(engine, parent, 1);
    const child = (await engine.getTask(open)).steps[0]?.child_task_id ?? "";
    await engine.signalTask(child, { name: "go", payload: { by: "me" } });
    await engine.runTask(child);
    const gone = await make(engine, flow, 3, false);
    for (const id of gone) await engine.cancelTask(id);
    const kept = await make(engine, flow, 1);
    const { totals } = await carryOut(engine, { action: "delete", filter: { flow: [flow.name] } });
    expect(totals.done).toBe(3);
    expect(reasons(totals.skipped)).toEqual([[expect.stringContaining("parent has not ended"), 1]]);
    for (const id of gone) expect(await rejection(engine.getTask(id))).toMatchObject({ code: "task_not_found" });
    expect(await statuses(engine, [child, ...kept])).toEqual(["COMPLETED", "WAITING_OBSERVATION"]);
  });

  test("tasks that are created after it was shown do not match, and it spares itself and others of its kind", async () => {
    const engine = await bench.openEngine();
    const before = await enqueue(engine, "echo_add", { start: Date.now() + 3_600_000 });
    const request: BulkRequest = { action: "cancel", filter: {} };
    const { token } = await engine.bulk.preview(request);
    const other = await engine.bulk.start({ ...request, token });
    const later = (await engine.createTask({ flow: "echo_add", input: {} })).task.id;
    const third: BulkRequest = { action: "cancel", filter: { flow: ["echo_add"] } };
    const preview = await engine.bulk.preview(third);
    const kindred = await engine.bulk.start({ ...third, token: preview.token });
    const done = await engine.runTask(other.task.id);
    expect(totalsOf(done).done).toBeGreaterThan(0);
    expect((await engine.getTask(before)).status).toBe("CANCELLED");
    if (Date.parse((await engine.getTask(later)).created_at) > Number(token.split("-")[0]))
      expect((await engine.getTask(later)).status).toBe("PLANNED");
    const shown = await engine.bulk.preview(request);
    expect(shown.sample.map(({ id }) => id)).not.toContain(kindred.task.id);
    await carryOut(engine, request);
    expect((await engine.getTask(later)).status).toBe("CANCELLED");
    expect((await engine.getTask(kindred.task.id)).status).toBe("PLANNED");
  });

  test("one that is meant for others of its kind spares itself, also if this process's clock is behind", async () => {
    const engine = await bench.openEngine();
    const others: BulkRequest = { action: "cancel", filter: { flow: ["echo_add"], priority: 9 } };
    const { token } = await engine.bulk.preview(others);
    const other = await engine.bulk.start({ ...others, token });
    const behind = await bench.openEngine({ clock: { ...systemClock, now: () => Date.now() - 3_600_000 } });
    await carryOut(behind, { action: "cancel", filter: { flow: [BULK_FLOW] }, force: true });
    expect((await engine.getTask(other.task.id)).status).toBe("CANCELLED");
  });

  test.each([false, true])(
    "a cancel (by force: %p) of tasks that a worker drives aborts their tools before they end",
    async (force) => {
      const gate = new Gate("gate");
      const abort: string[] = [];
      const flow = defineFlow({ name: nameOf(), input: v.unknown(), plan: () => [call(gate.tool, 1)] });
      const worker = await bench.openEngine({ flows: [flow] });
      const running = await worker.startWorker({ concurrency: 5 });
      const ids = [await enqueue(worker, flow.name), await enqueue(worker, flow.name)];
      await gate.called(2);
      for (const [place, { signal }] of gate.calls.entries()) {
        signal.addEventListener("abort", () => {
          abort.push("aborted");
          gate.fail(place, "aborted");
        });
      }
      const engine = await bench.openEngine({ flows: [flow] });
      const { totals } = await carryOut(engine, { action: "cancel", filter: { flow: [flow.name] }, force });
      expect(totals).toMatchObject({ done: 2, pending: force ? 0 : 2, skipped: [], failed: [] });
      if (force) expect(abort).toHaveLength(2);
      for (const id of ids) expect((await ended(engine, id)).status).toBe("CANCELLED");
      expect(abort).toHaveLength(2);
      await running.stop();
    },
  );

  test("it can be cancelled, and waits for a worker like any other task", async () => {
    const flow = asking();
    const engine = await bench.openEngine({ flows: [flow] });
    const [id = ""] = await make(engine, flow, 1);
    const request: BulkRequest = { action: "cancel", filter: { flow: [flow.name] } };
    const { token } = await engine.bulk.preview(request);
    const { task } = await engine.bulk.start({ ...request, token });
    expect(await engine.getTask(task.id)).toMatchObject({ status: "PLANNED", due_at: expect.any(String) });
    expect((await engine.cancelTask(task.id)).status).toBe("CANCELLED");
    expect(await waiting(engine, id)).toMatchObject({ status: "WAITING_OBSERVATION" });
    const again = await engine.bulk.preview({
      action: "cancel",
      filter: { flow: [flow.name], waitingFor: ["signal"] },
    });
    expect(again.tasks).toBe(1);
  });
});

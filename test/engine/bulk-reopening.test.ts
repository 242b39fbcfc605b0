// Operations that let many tasks go on: retry, signal and resume. Each task is acted on once.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { type BulkRequest, totalsOf } from "../../src/core/api/bulk.ts";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { call } from "../../src/core/flow/operation.ts";
import type { BulkOperations } from "../../src/engine/driving/bulk/bulk-operations.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { benchOn } from "../support/bench.ts";
import { ended } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import { Trouble, nameOf, paying, asking, carryOut, reasons, make } from "./bulk-world.ts";

describe.each(DATABASES)("operations that let many tasks go on on %s", (_name, create) => {
  const bench = benchOn(create);

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
});

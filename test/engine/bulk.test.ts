// Operations on many tasks: what they act on, what comes of it, and that each task is acted on once.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BULK_FLOW, type BulkRequest, totalsOf } from "../../src/core/api/bulk.ts";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { call, runChild, waitForSignal } from "../../src/core/flow/operation.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { plannedRecord } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { benchOn } from "../support/bench.ts";
import { ended, enqueue, waiting } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { Gate } from "../support/tools.ts";
import { Trouble, nameOf, paying, asking, carryOut, reasons, make, statuses } from "./bulk-world.ts";

describe.each(DATABASES)("operations on many tasks on %s", (_name, create) => {
  const bench = benchOn(create);

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

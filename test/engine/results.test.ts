// Whoever creates a task and waits for what it comes to: in one request, and in one commit where nothing stands against it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import type { Store } from "../../src/store/store.ts";
import { call, defineFlow, defineTool, sleep, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";

const LONG = { waitMs: 60_000 };

/** Writes of an engine, and looks at tasks that it waits for. */
class Asked {
  readonly inserts: TaskRecord[] = [];
  changes = 0;
  glances = 0;
  readonly watch = (store: Store): Store => ({
    ...store,
    insertTasks: (records) => {
      this.inserts.push(...records);
      return store.insertTasks(records);
    },
    commitChanges: (changes) => {
      this.changes += 1;
      return store.commitChanges(changes);
    },
    glance: (ids) => {
      this.glances += 1;
      return store.glance(ids);
    },
  });
}

const slowly = defineTool({
  name: "slowly",
  input: v.number(),
  output: v.number(),
  execution: "pure",
  run: async (ms) => {
    await Bun.sleep(ms);
    return ms;
  },
});

const pureFlow = defineFlow({
  name: "pure_flow",
  input: v.number(),
  *run(ms) {
    const first = yield* call(slowly, ms);
    return first + (yield* call(slowly, ms));
  },
});

const paid = giveBack("paid");
const paidFlow = defineFlow({
  name: "paid_flow",
  input: v.unknown(),
  *run(input) {
    return yield* call(paid, input);
  },
});

const waits = defineFlow({
  name: "waits",
  input: v.unknown(),
  signals: { go: v.string() },
  *run() {
    yield* sleep(20);
    return yield* waitForSignal("go");
  },
});

const odd = defineFlow({
  name: "odd",
  input: v.unknown(),
  *run() {
    yield* call(paid, String(Math.random()));
    return null;
  },
});

const FLOWS = [pureFlow, paidFlow, waits];

describe.each(DATABASES)("what a task comes to, on %s", (_name, create) => {
  const bench = benchOn(create);

  test("a flow of pure tools is created and run in one commit, and its record is that of any other task", async () => {
    const asked = new Asked();
    const engine = await bench.openEngine({ flows: FLOWS, around: asked.watch });
    const { task, created } = await engine.results.create({ flow: "echo_add", input: { a: 2, b: 3 } }, LONG);
    expect(task).toMatchObject({ status: "COMPLETED", output_payload: { add: { sum: 5 } }, current_step: 2 });
    expect(created).toBe(true);
    expect([asked.inserts.length, asked.changes]).toEqual([1, 0]);
    const other = await bench.openEngine();
    expect(await other.getTask(task.id)).toEqual(task);
    const usual = await other.runTask((await other.createTask({ flow: "echo_add", input: { a: 2, b: 3 } })).task.id);
    expect(shapeOf(task)).toEqual(shapeOf(usual));
  });

  test("so it is where the tools take their time, and the flow decides on their outcomes", async () => {
    const asked = new Asked();
    const engine = await bench.openEngine({ flows: FLOWS, around: asked.watch });
    const { task } = await engine.results.create({ flow: "pure_flow", input: 3 }, LONG);
    expect(task).toMatchObject({ status: "COMPLETED", output_payload: 6 });
    expect([asked.inserts.length, asked.changes]).toEqual([1, 0]);
  });

  test("before a tool with an effect starts, the task is there with all that leads to it", async () => {
    const asked = new Asked();
    const gate = new Gate("effect");
    const flow = defineFlow({
      name: "effects",
      input: v.unknown(),
      *run(input) {
        yield* call(giveBack("first", { execution: "pure" }), 1);
        return yield* call(gate.tool, input);
      },
    });
    const engine = await bench.openEngine({ flows: [flow], around: asked.watch });
    const made = engine.results.create({ flow: "effects", input: "x" }, LONG);
    await gate.called();
    expect(asked.inserts.map(({ task, steps }) => [task.status, steps.map(({ status }) => status)])).toEqual([
      ["RUNNING", ["COMPLETED", "RUNNING"]],
    ]);
    gate.end(0, "done");
    expect((await made).task).toMatchObject({ status: "COMPLETED", output_payload: "done" });
  });

  test("when the time is up it is answered as it is, and what was begun goes on", async () => {
    const gate = new Gate("pure_gate", { execution: "pure" });
    const flow = defineFlow({
      name: "gated",
      input: v.unknown(),
      *run(input) {
        return yield* call(gate.tool, input);
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task, created } = await engine.results.create({ flow: "gated", input: "x" }, { waitMs: 5 });
    expect([task.status, created]).toEqual(["RUNNING", true]);
    expect((await engine.results.await(task.id, { waitMs: 1 })).status).toBe("RUNNING");
    const awaited = engine.results.await(task.id, LONG);
    await gate.called();
    gate.end(0, "late");
    expect(await awaited).toMatchObject({ status: "COMPLETED", output_payload: "late" });
    expect((await engine.results.awaitSummary(task.id, LONG)).status).toBe("COMPLETED");
    const now = await engine.results.create({ flow: "gated", input: "y" }, { waitMs: 0 });
    expect(isOpen(now.task.status)).toBe(true);
  });

  test("it is followed over its waits, though no worker is there", async () => {
    const engine = await bench.openEngine({ flows: FLOWS });
    const made = engine.results.create({ flow: "waits", input: null, idempotencyKey: crypto.randomUUID() }, LONG);
    const id = await until(async () => {
      const { tasks } = await engine.listTasks({ limit: 1 });
      const [task] = tasks;
      return task && "waiting_for" in task && task.waiting_for[0]?.kind === "signal" ? task.id : undefined;
    });
    const other = await bench.openEngine({ flows: FLOWS });
    await other.signalTask(id, { name: "go", payload: "on" });
    expect((await made).task).toMatchObject({ id, status: "COMPLETED", output_payload: "on" });
  });

  test("its end is heard of, whichever process writes it", async () => {
    const asked = new Asked();
    const here = await bench.openEngine({ flows: FLOWS, around: asked.watch });
    const there = await bench.openEngine({ flows: FLOWS });
    const { task } = await there.createTask({ flow: "paid_flow", input: 1 });
    const awaited = here.results.await(task.id, LONG);
    await there.runTask(task.id);
    expect(await awaited).toMatchObject({ status: "COMPLETED", output_payload: 1 });
    expect(await rejection(here.results.await(crypto.randomUUID(), LONG))).toMatchObject({ code: "task_not_found" });
  });

  test("one that is queued is run by a worker, and waited for here", async () => {
    const engine = await bench.openEngine({ flows: FLOWS });
    const worker = await bench.openEngine({ flows: FLOWS });
    await worker.startWorker({ concurrency: 2 });
    const { task } = await engine.results.create({ flow: "paid_flow", input: "q", start: "now" }, LONG);
    expect(task).toMatchObject({ status: "COMPLETED", output_payload: "q" });
  });

  test("requests with one key make one task, which each of them is answered with", async () => {
    const engine = await bench.openEngine({ flows: FLOWS });
    const request = { flow: "echo_add", input: { text: "once" }, idempotencyKey: crypto.randomUUID() };
    const made = await Promise.all(Array.from({ length: 5 }, () => engine.results.create(request, LONG)));
    expect(new Set(made.map(({ task }) => task.id)).size).toBe(1);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(made.every(({ task }) => task.status === "COMPLETED")).toBe(true);
    const other = { ...request, input: { text: "twice" } };
    for (const options of [LONG, { waitMs: 0 }])
      expect(await rejection(engine.results.create(other, options))).toMatchObject({ code: "idempotency_key_reused" });
    expect((await engine.results.create(request, { waitMs: 0 })).created).toBe(false);
  });

  test("a task that is parked is answered at once, for only a person can take it on", async () => {
    const engine = await bench.openEngine({ flows: [odd] });
    const { task } = await engine.results.create({ flow: "odd", input: null }, LONG);
    expect(task.parked_reason).toContain("is not deterministic");
  });

  test("many who wait cost one look, who leaves leaves nothing behind, and an engine that closes answers all", async () => {
    const asked = new Asked();
    const engine = await bench.openEngine({ flows: FLOWS, around: asked.watch });
    const { task } = await engine.createTask({ flow: "waits", input: null });
    const leave = new AbortController();
    const leaving = Array.from({ length: 300 }, () =>
      engine.results.await(task.id, { waitMs: 60_000, signal: leave.signal }),
    );
    await until(() => asked.glances >= 3);
    const [before, since] = [asked.glances, performance.now()];
    await until(() => asked.glances >= before + 3);
    expect((asked.glances - before) * 50).toBeLessThanOrEqual(performance.now() - since + 100);
    leave.abort(new Error("gone"));
    const left = await Promise.allSettled(leaving);
    expect(left.every(({ status }) => status === "rejected")).toBe(true);
    const looks = asked.glances;
    await engine.listTasks({ limit: 1 });
    const staying = engine.results.await(task.id, LONG);
    await until(() => asked.glances > looks + 1);
    const answered = engine.close();
    expect((await staying).status).toBe("PLANNED");
    await answered;
  });

  test("what is begun is there when it is run, and as it was asked for", async () => {
    const asked = new Asked();
    const engine = await bench.openEngine({ flows: FLOWS, around: asked.watch });
    const begun = await engine.results.begin({ flow: "echo_add", input: { text: "x" } });
    expect(asked.inserts).toHaveLength(0);
    expect(await begun.run()).toMatchObject({ id: begun.id, status: "COMPLETED" });
    expect([asked.inserts.length, asked.changes]).toEqual([1, 0]);
    expect(await rejection(engine.results.begin({ flow: "echo_add", input: { a: "x" } }))).toMatchObject({
      code: "input_invalid",
    });
    const short = await engine.results.begin({ flow: "echo_add", input: {} });
    expect(await rejection(short.run({ maxSteps: 2 }))).toMatchObject({ code: "max_steps_exhausted" });
    expect((await engine.getTask(short.id)).current_step).toBe(1);
  });

  test("a write whose answer is lost is told, and the task is not run twice", async () => {
    let isAway = true;
    const around = (store: Store): Store => ({
      ...store,
      insertTasks: async (records) => {
        const won = await store.insertTasks(records);
        if (!isAway) return won;
        isAway = false;
        throw new TaskonautError("database_unavailable", "The answer was lost.");
      },
    });
    const engine = await bench.openEngine({ flows: FLOWS, around });
    const request = { flow: "echo_add", input: {}, idempotencyKey: crypto.randomUUID() };
    expect(await rejection(engine.results.create(request, LONG))).toMatchObject({ code: "database_unavailable" });
    expect(await engine.results.create(request, LONG)).toMatchObject({ created: false, task: { status: "COMPLETED" } });
  });
});

function isOpen(status: string): boolean {
  return status === "PLANNED" || status === "RUNNING" || status === "WAITING_OBSERVATION";
}

/** What two runs of one flow on one input have in common. */
function shapeOf(task: object): unknown {
  const text = JSON.stringify(task, (key, value: unknown) => (/(^|_)(id|key|at)$/.test(key) ? "…" : value));
  return JSON.parse(text);
}

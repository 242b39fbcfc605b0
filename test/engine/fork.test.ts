// Forks: what is shared is what was, what is new is the new task's, and the flow is held to both.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Task } from "../../src/core/api/task.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import {
  all,
  annotate,
  call,
  defineFlow,
  defineSignal,
  defineTool,
  NonRetryableError,
  now,
  race,
  random,
  runChild,
  sleep,
  uuid,
  waitForSignal,
} from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";

/** Keys of all effects, in order. */
const effects: string[] = [];
let broken = false;

const pay = defineTool({
  name: "pay",
  input: v.unknown(),
  output: v.unknown(),
  run(input, { idempotencyKey }) {
    effects.push(idempotencyKey);
    if (broken) throw new NonRetryableError("broken");
    return input;
  },
});
const price = defineTool({
  name: "price",
  input: v.string(),
  output: v.object({ cents: v.number() }),
  execution: "pure",
  run: (sku) => ({ cents: sku.length }),
});
const child = defineFlow({
  name: "child",
  input: v.unknown(),
  *run(input) {
    return yield* call(pay, { child: input });
  },
});

const approved = defineSignal("approved", v.object({ by: v.string() }));

/** Everything that a flow may draw or wait for, before what is forked. */
const order = defineFlow({
  name: "order",
  input: v.object({ sku: v.string(), more: v.optional(v.boolean(), false) }),
  signals: [approved],
  *run({ sku, more }) {
    const drawn = { id: uuid(), chance: random(), at: now().getTime() };
    const { cents } = yield* call(price, sku); // 1
    yield* annotate({ cents: String(cents) });
    const made = yield* runChild(child, drawn.id); // 2
    const { by } = yield* waitForSignal(approved); // 3
    const after = { id: uuid(), at: now().getTime() };
    const paid = yield* call(pay, { cents, by, more, after: after.id }); // 4
    const both = yield* all([call(pay, { last: 1 }), call(price, "abc")]); // 5, 6
    return { drawn, made, after, paid, both };
  },
});

describe.each(DATABASES)("forks on %s", (_name, create) => {
  const bench = benchOn(create);

  async function ended(engine: Engine, more: object = {}): Promise<Task> {
    const { task } = await engine.createTask({ flow: "order", input: { sku: "A12" }, tags: { given: "1" }, ...more });
    await engine.runTask(task.id);
    await engine.signalTask(task.id, { name: "approved", payload: { by: "Ada" } });
    const last = await engine.runTask(task.id);
    expect(last.status).toBe("COMPLETED");
    return last;
  }

  test("share what was before, draw the same, and do what comes after under keys of their own", async () => {
    const engine = await bench.openEngine({ flows: [order, child] });
    const first = await ended(engine);
    effects.length = 0;
    const request = { from: 4, idempotencyKey: crypto.randomUUID() };
    const preview = await engine.forks.preview(first.id, request);
    expect(effects).toEqual([]);
    const { task, created } = await engine.forks.create(first.id, request);
    expect([created, task.id, task.status, task.current_step]).toEqual([true, preview.id, "RUNNING", 3]);
    expect(task.forked_from).toEqual({ task_id: first.id, step: 4 });
    expect(task.tags).toEqual({ given: "1", cents: "3" });
    expect(task.steps.map(({ step_name, status }) => [step_name, status])).toEqual([
      ["price", "COMPLETED"],
      ["child", "COMPLETED"],
      ["approved", "COMPLETED"],
      ["pay", "PLANNED"],
    ]);
    // ids are the new task's, the child is the other one's
    expect(task.steps.some(({ id }) => first.steps.some((step) => step.id === id))).toBe(false);
    expect(task.steps[1]).not.toHaveProperty("child_task_id");
    // another process goes on with it
    const other = await bench.openEngine({ flows: [order, child] });
    const last = await other.runTask(task.id);
    expect(last.output_payload).toEqual(first.output_payload);
    expect([last.status, last.tags]).toEqual(["COMPLETED", first.tags]);
    expect(effects).toEqual(preview.effects.map(({ idempotency_key }) => idempotency_key));
    expect(effects.every((key) => key.startsWith(task.id))).toBe(true);
    expect(preview).toMatchObject({ shared_steps: 3, flow_name: "order", forked_from: { task_id: first.id, step: 4 } });
    // the other task is as it was
    expect(await other.getTask(first.id)).toEqual(first);
    // and the key gives the same fork
    expect(await engine.forks.create(first.id, request)).toEqual({ task: last, created: false });
    expect(await rejection(engine.forks.create(first.id, { ...request, from: 3 }))).toMatchObject({
      code: "idempotency_key_reused",
    });
    // a fork of the fork draws from the first task
    const again = await other.forks.create(last.id, { from: 6 });
    expect(await other.runTask(again.task.id)).toMatchObject({ output_payload: first.output_payload });
  });

  test("from each step come to the same end", async () => {
    const engine = await bench.openEngine({ flows: [order, child] });
    const first = await ended(engine);
    for (let from = 1; from <= 7; from++) {
      const { task } = await engine.forks.create(first.id, { from });
      let last = await engine.runTask(task.id);
      if (from <= 3) {
        expect(last.waiting_for).toMatchObject([{ kind: "signal" }]);
        await engine.signalTask(task.id, { name: "approved", payload: { by: "Ada" } });
        last = await engine.runTask(task.id);
      }
      expect([last.status, shared(last.output_payload)]).toEqual(["COMPLETED", shared(first.output_payload)]);
    }
  });

  test("take another input and other outputs, which their contracts are applied to", async () => {
    const engine = await bench.openEngine({ flows: [order, child] });
    const first = await ended(engine);
    const { task } = await engine.forks.create(first.id, {
      from: 4,
      input: { sku: "A12", more: true },
      set: { 3: { by: "Grace" } },
    });
    const last = await engine.runTask(task.id);
    expect(last).toMatchObject({
      status: "COMPLETED",
      output_payload: { paid: { by: "Grace", more: true, cents: 3 } },
    });
    const refused = (request: object): Promise<Error> =>
      rejection(engine.forks.create(first.id, { from: 4, ...request }));
    expect(await refused({ input: { sku: 5 } })).toMatchObject({ code: "input_invalid" });
    expect(await refused({ set: { 1: { cents: "x" } } })).toMatchObject({
      code: "input_invalid",
      errors: [{ path: "set.1.cents" }],
    });
    expect(await refused({ set: { 3: { by: 5 } } })).toMatchObject({ code: "input_invalid" });
    expect(await refused({ set: { 4: 1 } })).toMatchObject({ errors: [{ path: "set.4" }] });
    expect(await refused({ set: { 9: 1, x: 1 } })).toMatchObject({ errors: [{ path: "set.9" }, { path: "set.x" }] });
    expect(await refused({ from: 8 })).toMatchObject({ code: "input_invalid", errors: [{ path: "from" }] });
    expect(await refused({ from: 0 })).toMatchObject({ errors: [{ path: "from" }] });
  });

  test("are refused where the flow decides otherwise than is recorded, with both sides", async () => {
    const engine = await bench.openEngine({ flows: [order, child] });
    const first = await ended(engine);
    const other = await rejection(engine.forks.create(first.id, { from: 4, input: { sku: "B2" } }));
    expect(other).toMatchObject({ code: "task_not_forkable" });
    expect(other.message).toContain(
      'was recorded as tool price at /0 with "A12", now it decides tool price at /0 with "B2"',
    );
    expect(other.message).toEndWith("Fork from an earlier step, or without another input or other outputs.");
    // what stands before it is the same
    expect((await engine.forks.create(first.id, { from: 1, input: { sku: "B2" } })).created).toBe(true);
    const edited = defineFlow({
      name: "order",
      input: order.input,
      *run() {
        return yield* call(price, "A12");
      },
    }) as Flow;
    const changed = await bench.openEngine({ flows: [edited, child] });
    const { message } = await rejection(changed.forks.create(first.id, { from: 3 }));
    expect(message).toContain("where step 2 was recorded");
    expect(message).toEndWith("or with the flow's code that the task was run with.");
    expect((await changed.forks.create(first.id, { from: 2 })).created).toBe(true);
  });

  test("of a task that failed go on from the failed step, with mended tools", async () => {
    const engine = await bench.openEngine({ flows: [order, child] });
    broken = false;
    const { task } = await engine.createTask({ flow: "order", input: { sku: "A12" } });
    await engine.runTask(task.id);
    await engine.signalTask(task.id, { name: "approved", payload: { by: "Ada" } });
    broken = true;
    expect((await engine.runTask(task.id)).status).toBe("FAILED");
    broken = false;
    const { task: fork } = await engine.forks.create(task.id, { from: 4 });
    expect((await engine.runTask(fork.id)).status).toBe("COMPLETED");
    // the failure itself may be taken over: then it fails again
    const { task: same } = await engine.forks.create(task.id, { from: 5 });
    expect(await engine.runTask(same.id)).toMatchObject({ status: "FAILED", error_message: "pay: broken" });
    // and what it gave may be given
    const { task: given } = await engine.forks.create(task.id, { from: 5, set: { 4: "paid by hand" } });
    expect(await engine.runTask(given.id)).toMatchObject({ output_payload: { paid: "paid by hand" } });
  });

  test("of a task that runs, waits or was cancelled take over what has an outcome, and do the rest again", async () => {
    const gates = [new Gate("left"), new Gate("right"), new Gate("undo")] as const;
    const [left, right, undo] = gates;
    const flow = defineFlow({
      name: "gates",
      input: v.unknown(),
      *run() {
        try {
          const [one, two] = yield* all([call(left.tool, 1), call(right.tool, 2)]);
          yield* sleep("1h");
          return [one, two];
        } finally {
          yield* call(undo.tool, "undo");
        }
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "gates", input: null });
    const running = engine.runTask(task.id);
    await Promise.all([left.called(), right.called()]);
    right.end(0, "two");
    const fork = await engine.forks.create(task.id, { from: 3, set: { 2: "two" } });
    expect(fork.task.steps.map(({ status }) => status)).toEqual(["PLANNED", "COMPLETED"]);
    expect((await engine.forks.preview(task.id, { from: 3, set: { 2: "two" } })).effects).toMatchObject([
      { step_index: 1, step_name: "left" },
    ]);
    const forked = engine.runTask(fork.task.id);
    await left.called(2);
    left.end(1, "one again");
    expect(await forked).toMatchObject({ waiting_for: [{ kind: "time" }] });
    left.end(0, "one");
    await running;
    const cancelled = engine.cancelTask(task.id);
    await undo.called();
    undo.end(0, "undone");
    expect((await cancelled).status).toBe("CANCELLED");
    // the cancel is not taken over
    const { task: afresh } = await engine.forks.create(task.id, { from: 3 });
    expect(await engine.runTask(afresh.id)).toMatchObject({
      status: "WAITING_OBSERVATION",
      waiting_for: [{ kind: "time" }],
    });
    expect((await rejection(engine.forks.create(task.id, { from: 5 }))).message).toContain("The task was cancelled");
  });

  test("have the tags of the task, and those of its flow by their own input", async () => {
    const tagged = defineFlow({
      name: "tagged",
      input: v.object({ customer: v.string() }),
      tags: ({ customer }) => ({ customer }),
      *run() {
        return yield* call(price, "abc");
      },
    });
    const engine = await bench.openEngine({ flows: [tagged] });
    const { task } = await engine.createTask({ flow: "tagged", input: { customer: "c1" }, tags: { by: "hand" } });
    expect((await engine.forks.create(task.id, { from: 1 })).task.tags).toEqual({ customer: "c1", by: "hand" });
    const other = await engine.forks.create(task.id, { from: 1, input: { customer: "c2" } });
    expect(other.task.tags).toEqual({ customer: "c2", by: "hand" });
    const filter = { tags: { customer: "c2", by: "hand" } };
    expect((await engine.listTasks({ limit: 9, filter })).tasks.map(({ id }) => id)).toContain(other.task.id);
  });

  test("of a race keep who has won, and let it be run again", async () => {
    const flow = defineFlow({
      name: "race",
      input: v.unknown(),
      *run() {
        const won = yield* race({ fast: call(giveBack("fast"), 1), late: sleep("1h") });
        return [won, yield* call(pay, won)];
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "race", input: null });
    const first = await engine.runTask(task.id);
    for (const from of [1, 2, 3, 4]) {
      const { task: fork } = await engine.forks.create(task.id, { from });
      expect((await engine.runTask(fork.id)).output_payload).toEqual(first.output_payload);
    }
  });

  test("go on in the time of what they share, also where the clock of the other task's process was ahead", async () => {
    const HOUR_MS = 3_600_000;
    const timed = defineFlow({
      name: "timed",
      input: v.object({}),
      *run() {
        yield* call(price, "a");
        const first = now().getTime();
        yield* call(price, "bc", { as: "again" });
        return [first, now().getTime()];
      },
    });
    const ahead = await bench.openEngine({ flows: [timed], clock: new FakeClock(Date.now() + HOUR_MS) });
    const { task } = await ahead.createTask({ flow: "timed", input: {} });
    await ahead.runTask(task.id);
    const engine = await bench.openEngine({ flows: [timed] });
    const { task: fork } = await engine.forks.create(task.id, { from: 2 });
    const [first, second] = (await engine.runTask(fork.id)).output_payload as readonly [number, number];
    expect(first).toBeGreaterThan(Date.now() + HOUR_MS / 2);
    expect(second).toBeGreaterThanOrEqual(first);
  });

  test("with another output have no call of that step, and let begin what its failure held back", async () => {
    const flow = defineFlow({
      name: "held_back",
      input: v.object({}),
      *run() {
        try {
          return yield* all([call(pay, "first"), sleep("1h")]);
        } catch {
          yield* annotate({ caught: "yes" });
          return yield* call(price, "undone");
        }
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    broken = true;
    const { task } = await engine.createTask({ flow: "held_back", input: {}, tags: { given: "1" } });
    const first = await engine.runTask(task.id);
    broken = false;
    expect([first.status, first.steps.map(({ status }) => status)]).toEqual([
      "COMPLETED",
      ["FAILED", "CANCELLED", "COMPLETED"],
    ]);
    const { task: given } = await engine.forks.create(task.id, { from: 3, set: { 1: "by hand" } });
    expect(given.steps.map(({ status, tool_calls }) => [status, tool_calls.length])).toEqual([
      ["COMPLETED", 0],
      ["PLANNED", 0],
    ]);
    expect(await engine.runTask(given.id)).toMatchObject({ waiting_for: [{ kind: "time" }], tags: { given: "1" } });
    // all that a fork has is the record of the other task, in size as well
    const { task: whole } = await engine.forks.create(task.id, { from: 4 });
    await engine.runTask(whole.id);
    const store = await bench.openStore();
    const [before, after] = await Promise.all([task, whole].map(({ id }) => store.readTaskRow(id)));
    expect(after?.recorded_bytes).toBe(before?.recorded_bytes as number);
    // tags that the flow has set are no tags that were given
    const { task: anew } = await engine.forks.create(whole.id, { from: 1 });
    expect([whole.tags, anew.tags]).toEqual([{ given: "1", caught: "yes" }, { given: "1" }]);
    const { task: untagged } = await engine.createTask({ flow: "held_back", input: {} });
    broken = true;
    await engine.runTask(untagged.id);
    broken = false;
    const { task: retagged } = await engine.forks.create(untagged.id, { from: 4 });
    const { task: bare } = await engine.forks.create(retagged.id, { from: 1 });
    expect([retagged.tags, bare.tags]).toEqual([{ caught: "yes" }, {}]);
    // a limit that was lowered since holds for what is new
    const low = await bench.openEngine({ flows: [flow], limits: { stepsPerTask: 2 } });
    expect((await low.forks.create(task.id, { from: 4 })).task.steps).toHaveLength(3);
  });

  test("leave an outcome that the flow has not been given to be given: then it is observed, and then is now", async () => {
    const HOUR_MS = 3_600_000;
    const flow = defineFlow({
      name: "not_yet_given",
      input: v.object({}),
      *run() {
        yield* call(price, "a");
        const at = now().getTime();
        yield* call(pay, at);
        return at;
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "not_yet_given", input: {} });
    let first = await engine.advanceTask(task.id);
    while (first.status !== "WAITING_OBSERVATION") first = await engine.advanceTask(task.id);
    const { task: fork } = await engine.forks.create(task.id, { from: 2 });
    expect(fork.steps.map(({ step_name, status }) => [step_name, status])).toEqual([["price", "COMPLETED"]]);
    const store = await bench.openStore();
    expect(await store.readTaskRow(fork.id)).toMatchObject({ observed_count: 0, current_step: 1 });
    const later = await bench.openEngine({ flows: [flow], clock: new FakeClock(Date.now() + HOUR_MS) });
    const { status, output_payload: at } = await later.runTask(fork.id);
    expect([status, Number(at) > Date.now() + HOUR_MS / 2]).toEqual(["COMPLETED", true]);
  });

  test("are refused of an operation on many tasks, which is shown before it is started", async () => {
    const engine = await bench.openEngine();
    const request = { action: "cancel", filter: { flow: ["echo_add"], priority: 9 } } as const;
    const { token } = await engine.bulk.preview(request);
    const { task } = await engine.bulk.start({ ...request, token });
    const refusal = { code: "task_not_forkable", message: expect.stringContaining("Start a new operation") };
    expect(await rejection(engine.forks.create(task.id, { from: 1 }))).toMatchObject(refusal);
    expect(await rejection(engine.forks.preview(task.id, { from: 1 }))).toMatchObject(refusal);
  });

  test("of a plan share its steps as well, and of a queued one a worker goes on", async () => {
    const engine = await bench.openEngine();
    const { task } = await engine.createTask({ flow: "echo_add", input: { a: 2, b: 3 } });
    const first = await engine.runTask(task.id);
    for (const from of [1, 2, 3]) {
      const { task: fork } = await engine.forks.create(task.id, { from });
      expect(fork.status).toBe(from === 1 ? "PLANNED" : "RUNNING");
      const other = await bench.openEngine();
      expect(await other.runTask(fork.id)).toMatchObject({
        status: "COMPLETED",
        output_payload: first.output_payload as object,
      });
    }
    const worker = await bench.openEngine();
    await worker.startWorker({ concurrency: 1 });
    const queued = await engine.forks.create(task.id, { from: 2, set: { 1: { text: "other" } }, start: "now" });
    expect(await engine.results.await(queued.task.id, { waitMs: 30_000 })).toMatchObject({
      status: "COMPLETED",
      output_payload: { echo: { text: "other" }, add: { sum: 5 } },
    });
  });
});

/** What is drawn before the fork; what comes after a signal has its own time. */
function shared(output: unknown): unknown {
  const { drawn, both, made } = output as { drawn: unknown; both: unknown; made: unknown };
  return { drawn, both, made };
}

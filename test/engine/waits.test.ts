// Sleeping, waiting for signals, timeouts: what a task that waits says, and what it takes.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { cancelOf } from "../../src/engine/task/inbox-posts.ts";
import {
  all,
  call,
  defineFlow,
  map,
  now,
  race,
  sleep,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { forever, note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import type { MortalEngine, World } from "../support/mortal-store.ts";
import { useWorlds } from "../support/worlds.ts";
import { rejection } from "../support/rejection.ts";
import { skipTo } from "../support/scripts.ts";
import { until } from "../support/until.ts";

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  const Approval = v.object({ by: v.string(), level: v.optional(v.number(), 1) });

  async function begin(
    run: () => Generator<Operation<unknown>, unknown, unknown>,
  ): Promise<{ world: World; id: string; engine: MortalEngine["engine"]; flow: Flow }> {
    const flow = defineFlow({
      name: "sample",
      input: v.unknown(),
      signals: { go: v.unknown(), approved: Approval },
      *run() {
        return yield* run();
      },
    });
    const world = worlds.open([flow]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "sample", input: null });
    return { world, id: task.id, engine, flow };
  }

  async function codeOf(promise: Promise<unknown>): Promise<string> {
    const error = await rejection(promise);
    return error instanceof TaskonautError ? error.code : error.message;
  }

  test("a sleep lasts its time and says until when", async () => {
    const { world, id, engine } = await begin(function* () {
      const before = now();
      yield* sleep("2h");
      return now().getTime() - before.getTime() >= 7_200_000;
    });
    const asleep = await engine.runTask(id);
    expect(asleep.status).toBe("WAITING_OBSERVATION");
    const [waiting] = asleep.waiting_for;
    expect(waiting).toMatchObject({ kind: "time", name: null, task_id: null });
    expect(Date.parse(waiting?.until ?? "") - Date.parse(asleep.created_at)).toBeWithin(
      7_200_000 - 5000,
      7_200_000 + 5000,
    );
    world.skippedMs = 7_200_000 - 60_000;
    expect((await engine.runTask(id)).status).toBe("WAITING_OBSERVATION");
    skipTo(world, waiting?.until ?? "");
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: true, waiting_for: [] });
  });

  test("the due time of the task is that of its earliest wait, while nothing else is left to do", async () => {
    const { world, id, engine } = await begin(function* () {
      yield* all([sleep("2h"), waitForSignal("go", { timeout: "1h" }), call(work, 1)]);
    });
    const task = await engine.runTask(id);
    const record = await world.read(id);
    const dues = record?.steps.flatMap((step) => step.due_at ?? []) ?? [];
    expect(dues).toHaveLength(2);
    expect(record?.task.due_at).toBe(Math.min(...dues));
    expect(task.waiting_for.map(({ kind, name }) => [kind, name])).toEqual([
      ["time", null],
      ["signal", "go"],
    ]);
  });

  test("a task is waiting only when nothing else is left to do", async () => {
    const { id, engine } = await begin(function* () {
      yield* all([waitForSignal("go"), call(note, 1)]);
    });
    const told: [string, number][] = [];
    for (let i = 0; i < 4; i++) {
      const task = await engine.advanceTask(id);
      told.push([task.status, task.waiting_for.length]);
    }
    expect(told).toEqual([
      ["RUNNING", 0],
      ["WAITING_OBSERVATION", 0], // its outcome is to be observed
      ["WAITING_OBSERVATION", 1],
      ["WAITING_OBSERVATION", 1],
    ]);
  });

  test("a wait that stays where it is counts as a transition", async () => {
    const { id, engine } = await begin(function* () {
      yield* all([waitForSignal("go"), call(note, 1)]);
      yield* call(note, 2);
    });
    expect(await codeOf(engine.runTask(id, { maxSteps: 3 }))).toBe("max_steps_exhausted");
    expect((await engine.getTask(id)).waiting_for).toHaveLength(1);
    await engine.signalTask(id, { name: "go", payload: null });
    // the signal is observed, the second note is called
    expect(await codeOf(engine.runTask(id, { maxSteps: 2 }))).toBe("max_steps_exhausted");
    expect(await engine.getTask(id)).toMatchObject({ status: "WAITING_OBSERVATION", current_step: 3 });
  });

  test("signals are kept until they are waited for, in their order, and each goes to one wait", async () => {
    const { id, engine, world } = await begin(function* () {
      const first = yield* waitForSignal("go");
      const others = yield* all([waitForSignal("go"), waitForSignal("go")]);
      return [first, ...others];
    });
    for (const payload of [1, 2, 3, 4]) await world.engine().engine.signalTask(id, { name: "go", payload });
    expect((await engine.runTask(id)).output_payload).toEqual([1, 2, 3]);
    // what nobody waited for is still there
    expect((await worlds.store.readInbox(id, { names: ["go"], after: 0 })).rows.map((row) => row.payload)).toEqual([
      "4",
    ]);
  });

  test("a wait that another outcome makes needless takes no signal with it", async () => {
    const { id, engine } = await begin(function* () {
      const seen: unknown[] = [];
      while (seen.length < 2) {
        seen.push(yield* race({ go: waitForSignal("go"), approved: waitForSignal("approved"), late: sleep("1h") }));
      }
      return seen;
    });
    await engine.signalTask(id, { name: "go", payload: "first" });
    await engine.signalTask(id, { name: "approved", payload: { by: "me" } });
    expect((await engine.runTask(id)).output_payload).toEqual(["first", { by: "me", level: 1 }]);
  });

  test("a signal that comes while another outcome is to be observed is not taken by a wait which that outcome ends", async () => {
    const { id, engine } = await begin(function* () {
      const [, first] = yield* all([call(note, 1), race([call(note, 2), waitForSignal("go")])]);
      return [first, yield* waitForSignal("go")];
    });
    const told: string[] = [];
    for (let i = 0; i < 3; i++) told.push((await engine.advanceTask(id)).status);
    expect(told).toEqual(["RUNNING", "WAITING_OBSERVATION", "RUNNING"]);
    await engine.signalTask(id, { name: "go", payload: "kept" });
    expect((await engine.runTask(id)).output_payload).toEqual([2, "kept"]);
  });

  test("a signal wakes a tool's race at once, and the loser is aborted", async () => {
    const { id, engine } = await begin(function* () {
      return yield* race([call(forever, null), waitForSignal("go")]);
    });
    const running = engine.runTask(id);
    await engine.signalTask(id, { name: "go", payload: "stop" });
    const task = await running;
    expect(task.output_payload).toBe("stop");
    expect(task.steps.map((step) => step.status)).toEqual(["CANCELLED", "COMPLETED"]);
  });

  test("a timeout throws in the flow, which may catch it", async () => {
    const { id, engine, world } = await begin(function* () {
      try {
        return yield* waitForSignal("go", { timeout: "1d" });
      } catch (error) {
        return String(error);
      }
    });
    const waiting = await engine.runTask(id);
    expect(waiting.waiting_for[0]).toMatchObject({ kind: "signal", name: "go" });
    skipTo(world, waiting.waiting_for[0]?.until ?? "");
    expect((await engine.runTask(id)).output_payload).toBe("StepError: go: No signal go came in time.");
  });

  test("a signal that came in time beats a timeout that has passed since", async () => {
    const { id, engine, world } = await begin(function* () {
      return yield* waitForSignal("go", { timeout: "1h" });
    });
    await engine.runTask(id);
    await engine.signalTask(id, { name: "go", payload: "in time" });
    world.skippedMs = 7_200_000;
    expect((await engine.runTask(id)).output_payload).toBe("in time");
  });

  test("a signal that came when the time was up is for the next wait, also where nobody had looked since", async () => {
    const { id, engine, world } = await begin(function* () {
      const first = yield* race({ signal: waitForSignal("go"), sleep: map([1], () => sleep(20)) });
      try {
        yield* waitForSignal("approved", { timeout: 20 });
      } catch {
        return [first, yield* waitForSignal("go")];
      }
    });
    const isPast = async (time: string | null | undefined): Promise<boolean> =>
      (await worlds.store.now()) > Date.parse(time ?? "");
    const { waiting_for: first } = await engine.runTask(id);
    await until(() => isPast(first.find(({ kind }) => kind === "time")?.until));
    await world.store.postToTask({ ...cancelOf(id), kind: "signal", name: "go", payload: '"late"' });
    const { waiting_for: second } = await engine.runTask(id);
    expect(second).toMatchObject([{ kind: "signal", name: "approved" }]);
    await until(() => isPast(second[0]?.until));
    await world.store.postToTask({ ...cancelOf(id), kind: "signal", name: "approved", payload: '{"by":"me"}' });
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: [[null], "late"] });
  });

  test("the contract of the signal is applied to its payload", async () => {
    const { id, engine } = await begin(function* () {
      return yield* waitForSignal("approved");
    });
    expect(await codeOf(engine.signalTask(id, { name: "approved", payload: { by: 7 } }))).toBe("input_invalid");
    expect(await codeOf(engine.signalTask(id, { name: "approved", payload: undefined }))).toBe("input_invalid");
    const unknown = await rejection(engine.signalTask(id, { name: "nobody", payload: null }));
    expect(unknown.message).toContain("declares: go, approved");
    expect(unknown instanceof TaskonautError && unknown.status).toBe(422);
    await engine.signalTask(id, { name: "approved", payload: { by: "me" } });
    expect((await engine.runTask(id)).output_payload).toEqual({ by: "me", level: 1 });
  });

  test("a signal to a task that has ended is a conflict", async () => {
    const { id, engine } = await begin(() => call(note, 1)[Symbol.iterator]());
    await engine.runTask(id);
    const error = await rejection(engine.signalTask(id, { name: "go", payload: null }));
    expect(error instanceof TaskonautError && [error.code, error.status]).toEqual(["task_ended", 409]);
    expect(error.message).toContain("COMPLETED");
  });

  test("the same key delivers once, also when both come at once or the task has ended", async () => {
    const { id, engine, world } = await begin(function* () {
      return [yield* waitForSignal("go"), yield* waitForSignal("go")];
    });
    const send = (payload: unknown, idempotencyKey: string): Promise<unknown> =>
      world.engine().engine.signalTask(id, { name: "go", payload, idempotencyKey });
    await Promise.all([send({ a: 1, b: 2 }, "one"), send({ b: 2, a: 1 }, "one"), send({ a: 1, b: 2 }, "one")]);
    expect((await engine.runTask(id)).status).toBe("WAITING_OBSERVATION");
    await send({ a: 1, b: 2 }, "one");
    expect((await engine.runTask(id)).status).toBe("WAITING_OBSERVATION");
    expect(await codeOf(send({ a: 2 }, "one"))).toBe("idempotency_key_reused");
    await send("other", "two");
    expect((await engine.runTask(id)).output_payload).toEqual([{ a: 1, b: 2 }, "other"]);
    await send("other", "two");
    expect(await codeOf(send("x", ""))).toBe("input_invalid");
  });

  test("a signal for a task that has not started does not start it, and is not lost", async () => {
    const { id, engine, world } = await begin(() => waitForSignal("go")[Symbol.iterator]());
    await world.engine().engine.signalTask(id, { name: "go", payload: 1 });
    expect((await world.read(id))?.task).toMatchObject({ status: "PLANNED", due_at: null });
    expect((await engine.runTask(id)).output_payload).toBe(1);
  });

  test("a signal makes a waiting task due at once; one that nobody waits for leaves it due when it was", async () => {
    const { id, engine, world } = await begin(() => all([waitForSignal("go"), sleep("1h")])[Symbol.iterator]());
    await engine.runTask(id);
    const due = (await world.read(id))?.task.due_at ?? 0;
    expect(due).toBeGreaterThan(Date.now() + 3_000_000);
    const outsider = world.engine().engine;
    await outsider.signalTask(id, { name: "approved", payload: { by: "me" } });
    expect((await world.read(id))?.task.due_at).toBeLessThan(Date.now() + 60_000);
    for (const driver of [engine, world.engine().engine]) {
      await driver.runTask(id);
      expect((await world.read(id))?.task.due_at).toBe(due);
      await outsider.signalTask(id, { name: "approved", payload: { by: "me" } });
    }
  });

  test("now() never goes back, whatever the clocks of the engines say", async () => {
    const { id, world } = await begin(function* () {
      const times = [now().getTime()];
      for (let i = 0; i < 6; i++) {
        yield* call(note, i);
        times.push(now().getTime());
      }
      return times;
    });
    for (let i = 0; i < 30; i++) {
      world.skippedMs = i % 3 === 0 ? 0 : -1_000_000;
      const mortal = world.engine();
      if ((await mortal.engine.advanceTask(id)).status === "COMPLETED") break;
    }
    const times = (await world.engine().engine.getTask(id)).output_payload as number[];
    expect(times).toHaveLength(7);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

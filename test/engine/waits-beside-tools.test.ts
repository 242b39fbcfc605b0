// What is due beside a tool that runs is seen when it is due, not when the inbox happens to be looked at.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import { call, race, runChild, sleep, waitForSignal, type Member } from "../../src/core/flow/operation.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { ToolContext } from "../../src/core/flow/tool.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { engineOn } from "../support/engine.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";

const START = Date.UTC(2026, 10, 23);

const gate = new Gate("busy");
const napping = defineFlow({
  name: "napping",
  input: v.object({}),
  *run() {
    yield* sleep(40);
    return "rested";
  },
}) as Flow;

const beside = (name: string, other: () => Member): Flow =>
  defineFlow({
    name,
    input: v.object({}),
    signals: { go: v.unknown() },
    *run() {
      try {
        return yield* race([call(gate.tool, 1), other()]);
      } catch (error) {
        return String(error);
      }
    },
  }) as Flow;

const FLOWS = [
  napping,
  beside("sleeps", () => sleep(40)),
  beside("times_out", () => waitForSignal("go", { timeout: 40 })),
  beside("has_a_child", () => runChild(napping, {})),
];

describe("beside a tool that runs", () => {
  let clock: FakeClock;
  let engine: Taskonaut;
  beforeEach(async () => {
    clock = new FakeClock(START);
    const store = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
    engine = engineOn(store, { flows: FLOWS, clock });
  });
  afterEach(() => engine.close());

  test.each([
    ["sleeps", null],
    ["times_out", "StepError: go: No signal go came in time."],
    ["has_a_child", "rested"],
  ])("a flow that %s goes on in that moment", async (name, output) => {
    const calls = gate.calls.length;
    const { task } = await engine.createTask({ flow: name, input: {} });
    const answer: Task[] = [];
    const running = engine.runTask(task.id).then((result) => answer.push(result));
    await gate.called(calls + 1);
    // in steps of a few milliseconds, far below the time between two looks at the inbox
    for (let passed = 0; passed < 100 && answer.length === 0; passed += 5) {
      await until(() => clock.sleeping > 0 || answer.length > 0);
      await clock.advance(5);
    }
    expect(answer[0]).toMatchObject({ status: "COMPLETED", output_payload: output });
    await running;
    gate.end(calls, "late");
  });
});

test("a cancelled child that sleeps in its finally is cleaned up by running its parent again", async () => {
  const clock = new FakeClock(START);
  const store = await openSqliteStore({ path: ":memory:", now: () => clock.now() });
  const stuck = new Gate("stuck");
  const tidy = defineFlow({
    name: "tidy",
    input: v.object({}),
    *run() {
      try {
        yield* call(stuck.tool, 1);
      } finally {
        yield* sleep("1s");
      }
    },
  }) as Flow;
  const parent = defineFlow({
    name: "parent",
    input: v.object({}),
    *run() {
      yield* runChild(tidy, {});
    },
  }) as Flow;
  const engine = engineOn(store, { flows: [tidy, parent], clock });
  const { task } = await engine.createTask({ flow: "parent", input: {} });
  const running = engine.runTask(task.id);
  await stuck.called();
  const { signal } = stuck.calls[0] as ToolContext; // asked for before: it aborts then
  const cancelling = engine.cancelTask(task.id);
  await until(() => signal.aborted);
  stuck.fail(0, "told to stop"); // until then nothing is undone beside it
  await cancelling;
  expect(await running).toMatchObject({ status: "CANCELLED" });
  const childId = childTaskId((await engine.getTask(task.id)).steps[0]?.id ?? "");
  expect(await engine.getTask(childId)).toMatchObject({
    status: "WAITING_OBSERVATION",
    waiting_for: [{ kind: "time" }],
  });
  await clock.advance(1000);
  await engine.runTask(task.id);
  expect(await engine.getTask(childId)).toMatchObject({ status: "CANCELLED" });
  await engine.close();
});

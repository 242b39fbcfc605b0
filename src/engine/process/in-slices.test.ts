import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { recordOf } from "../../../test/support/engine.ts";
import type { Clock } from "../../core/clock.ts";
import { createProgram } from "../../core/flow/create-program.ts";
import { defineFlow } from "../../core/flow/flow.ts";
import { call } from "../../core/flow/operation.ts";
import type { Program } from "../../core/flow/program.ts";
import type { StepRow } from "../../core/record/record.ts";
import { defineTool } from "../../core/flow/tool.ts";
import type { Recorded } from "../task/replay.ts";
import { recoverInSlices } from "../task/recover.ts";
import { checkEnd } from "../task/end-check.ts";
import { toStepRow } from "../task/step-row.ts";

const STEPS = 1000;

const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });

const flow = defineFlow({
  name: "sample",
  input: v.unknown(),
  *run() {
    for (let step = 0; step < STEPS; step++) yield* call(work, step);
    return "done";
  },
});

/** A program that has ended, and its record. */
function ended(): { program: Program; record: Recorded } {
  const { task } = recordOf(flow);
  const program = createProgram(flow, { id: task.id, input: "null", createdAt: 1, stepsMax: STEPS });
  const steps: StepRow[] = [];
  for (let turn = program.start(); ;) {
    const [decision] = turn.planned;
    if (!decision) return { program, record: { task: { ...task, observed_count: STEPS }, steps } };
    const row = toStepRow(task.id, decision, { index: steps.length + 1, now: 1, storeNow: 1 });
    steps.push({ ...row, status: "COMPLETED", output_payload: "1", outcome_seq: steps.length + 1, observed_at: 1 });
    turn = program.observe(decision.path, { kind: "completed", output: "1" }, 1);
  }
}

/** Advances by `ms` whenever it is read. */
function clockOf(ms: number): Clock {
  let now = 0;
  return { now: () => (now += ms), elapsed: () => now, sleep: () => Promise.reject(new Error("Nobody sleeps here.")) };
}

test("a large task is recovered in parts, and comes to the same as in one go", async () => {
  const { record } = ended();
  const { task } = recordOf(flow);
  const whole = {
    task: { ...task, status: "WAITING_OBSERVATION", observed_count: STEPS },
    steps: record.steps,
    calls: [],
  } as const;
  const limits = { stepsPerTask: STEPS };
  expect(recoverInSlices(flow, whole, { limits, clock: clockOf(0) })).not.toBeInstanceOf(Promise);
  const recovering = recoverInSlices(flow, whole, { limits, clock: clockOf(1) });
  expect(recovering).toBeInstanceOf(Promise);
  const recovery = await recovering;
  if (recovery.kind !== "ready") throw new Error(recovery.reason);
  expect(recovery.program.end).toEqual({ kind: "completed", output: '"done"' });
});

describe("the check of an end", () => {
  test("at what is quick is taken at once", () => {
    const { program, record } = ended();
    expect(checkEnd(program, record, undefined, clockOf(0))).toBeUndefined();
  });

  test("at a large task gives the event loop its turns", async () => {
    const { program, record } = ended();
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    // after each part of eight observations the slice is over
    expect(await checkEnd(program, record, undefined, clockOf(1))).toBeUndefined();
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(STEPS / 8));
  });

  test("at a large task tells a difference as well", async () => {
    const { program, record } = ended();
    const steps = record.steps.map((step) => (step.step_index === 900 ? { ...step, step_name: "other" } : step));
    expect(await checkEnd(program, { ...record, steps }, undefined, clockOf(1))).toContain(
      "step 900 was recorded as tool other",
    );
  });
});

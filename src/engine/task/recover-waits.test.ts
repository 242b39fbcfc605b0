// Replay without a database: the record of a program leads a new program to the same point, and no other record does.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../core/flow/flow.ts";
import { all, call, race, sleep, type Operation } from "../../core/flow/operation.ts";
import { createProgram } from "../../core/flow/create-program.ts";
import type { Outcome } from "../../core/flow/program.ts";
import type { StepRow, TaskRecord } from "../../core/record/record.ts";
import { defineTool } from "../../core/flow/tool.ts";
import { recordOf } from "../../../test/support/engine.ts";
import { recover } from "./recover.ts";
import { toStepRow } from "./step-row.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });
const flowOf = (run: () => Body): Flow => defineFlow({ name: "sample", input: v.unknown(), run });

/** The record of a run that was given these outputs, and a cancel at `cancelAfter`, if set. */
function recordedRun(flow: Flow, paths: readonly string[], cancelAfter = -1): TaskRecord {
  const { task } = recordOf(flow);
  const program = createProgram(flow, {
    id: task.id,
    input: task.input_payload,
    createdAt: task.created_at,
    stepsMax: 1000,
  });
  const steps: StepRow[] = [];
  const take = ({ planned, abandoned }: ReturnType<typeof program.start>): void => {
    for (const path of abandoned) put(path, { status: "CANCELLED" });
    steps.push(
      ...planned.map((decision, index) =>
        toStepRow(task.id, decision, { index: steps.length + index + 1, now: 1000, storeNow: 1000 }),
      ),
    );
  };
  const put = (path: string, over: Partial<StepRow>): void => {
    const index = steps.findIndex((step) => step.path === path);
    steps[index] = { ...(steps[index] as StepRow), ...over };
  };
  take(program.start());
  paths.forEach((path, count) => {
    if (cancelAfter === count) take(program.cancel(5000));
    const outcome: Outcome = { kind: "completed", output: JSON.stringify(path) };
    put(path, {
      status: "COMPLETED",
      output_payload: outcome.output,
      outcome_seq: count + 1,
      observed_at: 2000 + count,
    });
    take(program.observe(path, outcome, 2000 + count));
  });
  if (cancelAfter === paths.length) take(program.cancel(5000));
  const cancel = cancelAfter < 0 ? {} : { cancelled_after: cancelAfter, cancelled_at: 5000 };
  return {
    task: { ...task, status: "WAITING_OBSERVATION", observed_count: paths.length, ...cancel },
    steps,
    calls: [],
  };
}

const flow = flowOf(function* () {
  try {
    const [a, b] = yield* all([call(work, "a"), call(work, "b")]);
    const first = yield* race([call(work, { a, b }), sleep("1h")]);
    return yield* call(work, first, { as: "last" });
  } finally {
    yield* call(work, "clean", { as: "clean" });
  }
});

describe("recovery", () => {
  test.each<[string, string[], number]>([
    ["of what was just started", [], -1],
    ["in the middle of a group", ["/0.1"], -1],
    ["behind a group", ["/0.1", "/0.0"], -1],
    ["with a loser", ["/0.0", "/0.1", "/1.0"], -1],
    ["of a cancel at the start", [], 0],
    ["of a cancel later, and what came after it", ["/0.0", "/1"], 1],
  ])("%s comes to where the record stands", (_what, paths, cancelAfter) => {
    const record = recordedRun(flow, paths, cancelAfter);
    const recovery = recover(flow, record, 1000);
    if (recovery.kind !== "ready") throw new Error(recovery.reason);
    expect([...recovery.decisionOf.keys()]).toEqual(record.steps.map((step) => step.id));
    const cancelled = record.steps.filter((step) => step.status === "CANCELLED").map((step) => step.path);
    expect([...recovery.abandoned].toSorted()).toEqual(cancelled.toSorted());
  });

  test("of an input whose keys come in another order is the same decision", () => {
    const record = recordedRun(flow, ["/0.0", "/0.1"]);
    const steps = record.steps.map((step) =>
      step.path === "/1.0" ? { ...step, input_payload: '{ "b": "/0.1", "a": "/0.0" }' } : step,
    );
    expect(recover(flow, { ...record, steps }, 1000).kind).toBe("ready");
  });

  test.each<[string, Partial<StepRow>]>([
    ["path", { path: "/0.2" }],
    ["kind", { kind: "signal" }],
    ["name", { step_name: "other" }],
    ["target", { target: "other" }],
    ["input", { input_payload: '"x"' }],
  ])("with another %s is a mismatch that shows both sides", (_what, over) => {
    const record = recordedRun(flow, []);
    const [first, ...others] = record.steps as [StepRow, ...StepRow[]];
    const recovery = recover(flow, { ...record, steps: [{ ...first, ...over }, ...others] }, 1000);
    expect(recovery.kind === "mismatch" && recovery.reason).toMatch(
      /step 1 was recorded as .*, now it decides tool work at \/0\.0 with "a"/,
    );
  });

  test("of a cancel that is recorded one observation later is a mismatch", () => {
    const record = recordedRun(flow, ["/0.0", "/0.1"], 1);
    expect(recover(flow, { ...record, task: { ...record.task, cancelled_after: 2 } }, 1000).kind).toBe("mismatch");
  });

  test("shows of a long input its beginning", () => {
    const long = flowOf(function* () {
      yield* call(work, "x".repeat(10_000));
    });
    const record = recordedRun(long, []);
    const recovery = recover(flow, record, 1000);
    expect(recovery.kind === "mismatch" && recovery.reason.length).toBeLessThan(1000);
  });
});

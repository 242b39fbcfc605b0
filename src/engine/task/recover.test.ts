import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { recordOf } from "../../../test/support/engine.ts";
import { defineFlow, type Flow } from "../../core/flow/flow.ts";
import { all, call, map, race, type Operation } from "../../core/flow/operation.ts";
import { createProgram } from "../../core/flow/create-program.ts";
import type { Outcome, Turn } from "../../core/flow/program.ts";
import type { StepRow, TaskRecord } from "../../core/record/record.ts";
import { defineTool } from "../../core/flow/tool.ts";
import { echoAdd } from "../../flows/echo-add.ts";
import { recover, type Recovery } from "./recover.ts";
import { toStepRow } from "./step-row.ts";

const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });
const other = defineTool({ name: "other", input: v.unknown(), output: v.unknown(), run: () => null });

type Run = () => Generator<Operation<unknown>, unknown, unknown>;
const flowOf = (run: Run): Flow => defineFlow({ name: "sample", input: v.any(), run });
const done = (value: unknown): Outcome => ({ kind: "completed", output: JSON.stringify(value) });
const failed = (message: string): Outcome => ({ kind: "failed", error: JSON.stringify({ name: "Error", message }) });

const replay = (flow: Flow, record: TaskRecord): Recovery => recover(flow, record, 1000);

/** The record of the flow after it observed these outcomes, in this order. */
function recorded(flow: Flow, observed: readonly (readonly [path: string, outcome: Outcome])[]): TaskRecord {
  const empty = recordOf(flow);
  const program = createProgram(flow, {
    id: empty.task.id,
    input: empty.task.input_payload,
    createdAt: 1,
    stepsMax: 1000,
  });
  const steps: StepRow[] = [];
  const take = ({ planned }: Turn): void => {
    const from = steps.length + 1;
    steps.push(
      ...planned.map((decision, at) => toStepRow(empty.task.id, decision, { index: from + at, now: 1, storeNow: 1 })),
    );
  };
  take(program.start());
  observed.forEach(([path, outcome], index) => {
    const place = steps.findIndex((step) => step.path === path);
    const outcome_seq = index + 1;
    const ending =
      outcome.kind === "completed"
        ? { status: "COMPLETED" as const, output_payload: outcome.output }
        : { status: "FAILED" as const, error: outcome.error };
    steps[place] = { ...(steps[place] as StepRow), ...ending, outcome_seq, observed_at: 1 };
    take(program.observe(path, outcome, 1));
  });
  return { task: { ...empty.task, status: "RUNNING", observed_count: observed.length }, steps, calls: [] };
}

function reasonOf(flow: Flow, record: TaskRecord): string {
  const recovery = replay(flow, record);
  if (recovery.kind !== "mismatch") throw new Error("The replay matched.");
  return recovery.reason;
}

const two: Run = function* () {
  const first = yield* call(work, { n: 1 }, { as: "first" });
  const second = yield* call(work, { n: 2, first }, { as: "second" });
  return { first, second };
};

describe("recovery", () => {
  test("brings the program to where the record stands, with the tools of its steps", () => {
    const record = recorded(flowOf(two), [["/0", done("a")]]);
    const recovery = replay(flowOf(two), record);
    if (recovery.kind !== "ready") throw new Error(recovery.reason);
    expect([...recovery.decisionOf].map(([id, { tool }]) => [id, tool?.name])).toEqual(
      record.steps.map((step) => [step.id, "work"]),
    );
    expect(recovery.program.end).toBeUndefined();
    recovery.program.observe("/1", done("b"), 1);
    expect(recovery.program.end).toEqual({ kind: "completed", output: '{"first":"a","second":"b"}' });
  });

  test("feeds outcomes in the order in which they were recorded, and none that was not observed", () => {
    const run: Run = function* () {
      const branches = ["a", "b"].map(function* (name) {
        yield* call(work, name, { as: `${name}1` });
        yield* call(work, name, { as: `${name}2` });
      });
      yield* all(branches);
    };
    const record = recorded(flowOf(run), [
      ["/0.1/0", done(1)],
      ["/0.0/0", done(2)],
    ]);
    expect(record.steps.map((step) => step.step_name)).toEqual(["a1", "b1", "b2", "a2"]);
    expect(replay(flowOf(run), record).kind).toBe("ready");
    const unobserved = record.steps.map((step) =>
      step.step_name === "b2" ? { ...step, status: "COMPLETED" as const, output_payload: "1", outcome_seq: 3 } : step,
    );
    expect(replay(flowOf(run), { ...record, steps: unobserved }).kind).toBe("ready");
  });

  test("gives failures as they were recorded", () => {
    const run: Run = function* () {
      try {
        yield* call(work, 1, { as: "pay" });
      } catch (error) {
        yield* call(work, String(error), { as: "refund" });
      }
    };
    expect(replay(flowOf(run), recorded(flowOf(run), [["/0", failed("no money")]])).kind).toBe("ready");
  });

  test("starts nothing of a run flow that has not begun", () => {
    // oxlint-disable-next-line require-yield -- it must not even get that far
    const run: Run = function* () {
      throw new Error("too early");
    };
    const recovery = replay(flowOf(run), recordOf(flowOf(run)));
    expect(recovery.kind).toBe("ready");
  });

  test("of a plan flow knows its steps from the start", () => {
    const record = recordOf(echoAdd);
    const recovery = replay(echoAdd, record);
    expect(recovery.kind === "ready" && [...recovery.decisionOf.keys()]).toEqual(record.steps.map((step) => step.id));
  });

  test("does not mind the order of keys in an input", () => {
    const record = recorded(flowOf(two), [["/0", done("a")]]);
    const turned = record.steps.map((step) =>
      step.step_index === 2 ? { ...step, input_payload: '{"first":"a","n":2}' } : step,
    );
    expect(replay(flowOf(two), { ...record, steps: turned }).kind).toBe("ready");
  });

  test("of a flow that plans more than it may here, and did nothing of it yet, is kept from it", () => {
    const run: Run = function* () {
      yield* all([call(work, 1), call(work, 2)]);
    };
    const record: TaskRecord = { ...recordOf(flowOf(run)), steps: [] };
    const recovery = recover(flowOf(run), { ...record, task: { ...record.task, status: "RUNNING" } }, 1);
    expect(recovery).toMatchObject({ kind: "obstacle", reason: expect.stringContaining("more than 1 steps") });
  });

  test("takes up a race whose loser came to its outcome before the winner was observed", () => {
    const run: Run = function* () {
      yield* race([call(work, 1, { as: "fast" }), call(work, 2, { as: "slow" })]);
      yield* call(work, 3, { as: "after" });
    };
    const record = recorded(flowOf(run), [["/0.0", done("won")]]);
    const late = { status: "COMPLETED" as const, output_payload: "1", outcome_seq: 2 };
    const steps = record.steps.map((step) => (step.step_name === "slow" ? { ...step, ...late } : step));
    expect(replay(flowOf(run), { ...record, steps }).kind).toBe("ready");
    const observed = { ...record, steps, task: { ...record.task, observed_count: 2 } };
    const recovery = replay(flowOf(run), observed);
    expect(recovery.kind === "ready" && recovery.program.observe("/1", done(1), 1)).toEqual({
      planned: [],
      abandoned: [],
    });
  });
});

describe("a flow that decides otherwise than is recorded is told, both sides shown:", () => {
  const record = recorded(flowOf(two), [["/0", done("a")]]);
  const changed = (second: () => Operation<unknown>, first = call(work, { n: 1 }, { as: "first" })): Flow =>
    flowOf(function* () {
      yield* first;
      yield* second();
    });
  const was = 'step 2 was recorded as tool second (work) at /1 with {"n":2,"first":"a"}, now it decides';

  const differences: readonly (readonly [what: string, flow: Flow, told: string])[] = [
    [
      "another name",
      changed(() => call(work, { n: 2, first: "a" }, { as: "third" })),
      `${was} tool third (work) at /1 with {"n":2,"first":"a"}`,
    ],
    [
      "another tool",
      changed(() => call(other, { n: 2, first: "a" }, { as: "second" })),
      `${was} tool second (other) at /1 with {"n":2,"first":"a"}`,
    ],
    [
      "another input",
      changed(() => call(work, { n: 3 }, { as: "second" })),
      `${was} tool second (work) at /1 with {"n":3}`,
    ],
    [
      "another place in the call tree",
      changed(() => all([call(work, { n: 2, first: "a" }, { as: "second" })])),
      `${was} tool second (work) at /1.0 with {"n":2,"first":"a"}`,
    ],
    [
      "another first step",
      changed(() => call(work, 1), call(work, { n: 0 }, { as: "first" })),
      'step 1 was recorded as tool first (work) at /0 with {"n":1}, now it decides tool first (work) at /0 with {"n":0}',
    ],
    [
      "a step more",
      changed(() => all([call(work, { n: 2, first: "a" }, { as: "second" }), call(other, 1)])),
      `${was} tool second (work) at /1.0`,
    ],
    [
      "an end that comes too early",
      flowOf(function* () {
        yield* call(work, { n: 1 }, { as: "first" });
      }),
      'it returns null where step 2 was recorded as tool second (work) at /1 with {"n":2,"first":"a"}',
    ],
    [
      "no step at all",
      flowOf(function* () {
        yield* [];
      }),
      'it returns null before the outcome of step 1, tool first (work) at /0 with {"n":1}, which was recorded',
    ],
    [
      "an error of its own, which ends it",
      flowOf(function* () {
        yield* call(work, { n: 1 }, { as: "first" });
        throw new Error("changed");
      }),
      "where step 2 was recorded as tool second",
    ],
    [
      "a step that it plans later only",
      flowOf(function* () {
        yield* all([call(work, { n: 1 }, { as: "first" })]);
      }),
      "step 1 was recorded as tool first (work) at /0",
    ],
    [
      "a body that is no generator",
      // defineFlow would refuse it
      { ...flowOf(function* () {}), body: { form: "run", run: (() => 5) as unknown as Run } },
      "it throws flow_invalid: Flow sample: run must be a generator function",
    ],
  ];
  for (const [what, flow, told] of differences) {
    test(what, () => {
      const reason = reasonOf({ ...flow, code: "new" }, { ...record, task: { ...record.task, flow_code: "old" } });
      expect(reason).toStartWith("Replay does not match the record: flow sample has changed: ");
      expect(reason).toContain(told);
      expect(reason).toEndWith(
        "Put the flow's former code back and resume the task, or continue with the new code in a new task (fork-task).",
      );
    });
  }

  test("a step more at the end", () => {
    const more = flowOf(function* () {
      yield* all([call(work, { n: 1 }, { as: "first" }), call(other, 1)]);
    });
    const alone = flowOf(function* () {
      yield* all([call(work, { n: 1 }, { as: "first" })]);
    });
    expect(reasonOf(more, recorded(alone, []))).toContain(
      "it plans step 2, tool other at /0.1 with 1, which was never recorded",
    );
  });

  test("a step that is not planned yet when its outcome was observed", () => {
    const items = ["a", "b"];
    const of = (concurrency: number): Flow =>
      flowOf(function* () {
        yield* map(items, (item) => call(work, item), { concurrency });
      });
    const parallel = recorded(of(2), [["/0.1", done("b")]]);
    expect(reasonOf(of(1), parallel)).toContain('it does not plan step 2, recorded as tool work at /0.1 with "b"');
    expect(reasonOf(of(2), recorded(of(1), []))).toContain("it plans step 2, tool work at /0.1");
  });

  test("a plan with a step more, or less", () => {
    const [echo, add] = recordOf(echoAdd).steps as [StepRow, StepRow];
    const planned = recordOf(echoAdd);
    expect(reasonOf(echoAdd, { ...planned, steps: [echo] })).toContain("it plans step 2, tool add");
    const third = { ...add, id: "x", path: "/2", step_index: 3, step_name: "more", target: "add" };
    expect(reasonOf(echoAdd, { ...planned, steps: [echo, add, third] })).toContain(
      "it does not plan step 3, recorded as tool more (add) at /2",
    );
  });

  test("the same code is not deterministic, and code that nobody knows may be either", () => {
    const flow = changed(() => call(other, 1));
    const of = (flow_code: string | null): TaskRecord => ({ ...record, task: { ...record.task, flow_code } });
    const same = reasonOf({ ...flow, code: "same" }, of("same"));
    expect(same).toStartWith("Replay does not match the record: flow sample is not deterministic: step 2 was recorded");
    expect(same).toContain("differs between two runs of the same code");
    expect(same).not.toContain("former code");
    for (const unknown of [reasonOf(flow, of("old")), reasonOf({ ...flow, code: "new" }, of(null))]) {
      expect(unknown).toStartWith(
        "Replay does not match the record: flow sample has changed, or is not deterministic: ",
      );
      expect(unknown).toContain("former code");
    }
  });

  test("two long inputs where they differ", () => {
    const of = (end: string): Flow =>
      flowOf(function* () {
        yield* call(work, `${"x".repeat(10_000)}${end}${"y".repeat(10_000)}`);
      });
    expect(reasonOf(of("is"), recorded(of("was"), []))).toMatch(
      /recorded as tool work at \/0 with …x{60}wasy*…, now it decides tool work at \/0 with …x{60}isy*…/,
    );
  });

  test("a long input only by its beginning", () => {
    const long = flowOf(function* () {
      yield* call(work, "x".repeat(10_000));
    });
    const short = flowOf(function* () {
      yield* call(work, "y".repeat(10_000));
    });
    expect(reasonOf(short, recorded(long, [])).length).toBeLessThan(1000);
  });
});

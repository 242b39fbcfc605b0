// From a record back to a program that stands where the record stands: replay. Every decision is compared with what
// was recorded; a difference is told with both sides, and nothing is written.

import { canonicalJson } from "../core/json.ts";
import type { Flow } from "../core/flow.ts";
import { createProgram } from "../core/create-program.ts";
import type { Decision, Outcome, Program, Turn } from "../core/program.ts";
import type { StepRow, TaskRecord } from "../core/record.ts";
import { messageOf } from "../core/stored-error.ts";

export type Recovery =
  | {
      readonly kind: "ready";
      readonly program: Program;
      readonly decisionOf: Map<string, Decision>;
      /** Paths of steps whose outcome the flow does not wait for any more. */
      readonly abandoned: ReadonlySet<string>;
    }
  /** The flow decides otherwise than is recorded (`reason` shows where, and both sides), or is not deterministic. */
  | { readonly kind: "mismatch"; readonly reason: string };

export function recover(flow: Flow, record: TaskRecord, stepsMax: number): Recovery {
  const { task } = record;
  const program = createProgram(flow, { id: task.id, input: task.input_payload, createdAt: task.created_at, stepsMax });
  const decisionOf = new Map<string, Decision>();
  const abandoned = new Set<string>();
  const otherForm = formDifference(flow, record);
  if (otherForm !== undefined) return { kind: "mismatch", reason: mismatch(flow, otherForm) };
  // a `run` flow makes its first decisions when the task starts
  if (task.status === "PLANNED" && flow.body.form === "run") return { kind: "ready", program, decisionOf, abandoned };

  const steps = record.steps;
  const observed = task.observed_count === 0 ? [] : observedOf(record);
  let planned = 0;
  const compare = (turn: Turn): string | undefined => {
    for (const path of turn.abandoned) abandoned.add(path);
    for (const decision of turn.planned) {
      const step = steps[planned++];
      const difference = step
        ? differenceOf(step, decision)
        : `it plans step ${planned}, ${describeDecision(decision)}, which was never recorded`;
      if (difference !== undefined) return difference;
      if (step) decisionOf.set(step.id, decision);
    }
    return undefined;
  };

  try {
    let difference = compare(program.start());
    for (let count = 0; difference === undefined; count++) {
      if (task.cancelled_after === count) difference = compare(program.cancel(task.cancelled_at ?? 0));
      const step = observed[count];
      if (!step || difference !== undefined) break;
      if (program.end)
        difference = `it ends before step ${step.step_index} (${step.step_name}), whose outcome was recorded`;
      else difference = compare(program.observe(step.path, outcomeOf(step), step.observed_at ?? 0));
    }
    if (program.violation) return { kind: "mismatch", reason: program.violation.message };
    const missing = steps[planned];
    if (difference === undefined && missing)
      difference = `it does not plan step ${missing.step_index}, recorded as ${describeStep(missing)}`;
    if (difference === undefined) return { kind: "ready", program, decisionOf, abandoned };
    return { kind: "mismatch", reason: mismatch(flow, difference) };
  } catch (error) {
    return {
      kind: "mismatch",
      reason: mismatch(flow, `it throws ${messageOf(error)}`),
    };
  }
}

/** In the order in which the flow was given their outcomes. */
function observedOf({ task, steps }: TaskRecord): readonly StepRow[] {
  return steps
    .filter((step) => step.outcome_seq !== null && step.outcome_seq <= task.observed_count)
    .toSorted((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
}

export function outcomeOf(step: StepRow): Outcome {
  if (step.output_payload !== null) return { kind: "completed", output: step.output_payload };
  if (step.error !== null) return { kind: "failed", error: step.error };
  throw new Error(`Step ${step.id} of task ${step.task_id} has no outcome.`);
}

function mismatch(flow: Flow, difference: string): string {
  return `Replay does not match the record: flow ${flow.name} has changed: ${difference}. Put the flow's former code back and advance the task again.`;
}

/** The steps of a plan are recorded with its task, those of a `run` flow as it decides them. */
function formDifference({ body }: Flow, { task, steps }: TaskRecord): string | undefined {
  if (body.form === "plan") {
    const isRun = steps.some((step) => step.created_at > task.created_at);
    return isRun ? "it decided its steps one by one (`run`), now it has a `plan`" : undefined;
  }
  const isPlan = task.status === "PLANNED" && steps.length > 0;
  return isPlan ? "it had a `plan` when the task was created, now it decides its steps one by one (`run`)" : undefined;
}

function differenceOf(step: StepRow, decision: Decision): string | undefined {
  const isSame =
    step.path === decision.path &&
    step.kind === decision.kind &&
    step.step_name === decision.name &&
    step.target === decision.target &&
    (step.input_payload === decision.input || canonicalJson(step.input_payload) === canonicalJson(decision.input));
  if (isSame) return undefined;
  return `step ${step.step_index} was recorded as ${describeStep(step)}, now it decides ${describeDecision(decision)}`;
}

function describeStep(step: StepRow): string {
  return describe({
    kind: step.kind,
    name: step.step_name,
    target: step.target,
    input: step.input_payload,
    path: step.path,
  });
}

function describeDecision(decision: Decision): string {
  return describe(decision);
}

const INPUT_SHOWN_MAX = 200;

function describe({
  kind,
  name,
  target,
  input,
  path,
}: Pick<Decision, "kind" | "name" | "target" | "input" | "path">): string {
  const shown = input.length > INPUT_SHOWN_MAX ? `${input.slice(0, INPUT_SHOWN_MAX)}…` : input;
  return `${kind} ${name}${target !== null && target !== name ? ` (${target})` : ""} at ${path} with ${shown}`;
}

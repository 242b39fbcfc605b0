// From a record back to a program that stands where the record stands: replay. Every decision is compared with what
// was recorded; a difference is told with both sides, and nothing is written.

import { canonicalJson } from "../core/json.ts";
import type { Flow } from "../core/flow.ts";
import { createProgram, type Decision, type Outcome, type Program } from "../core/program.ts";
import type { StepRow, TaskRecord } from "../core/record.ts";
import { messageOf } from "../core/stored-error.ts";
import type { Tool } from "../core/tool.ts";

export type Recovery =
  | { readonly kind: "ready"; readonly program: Program; readonly tools: Map<string, Tool> }
  /** The flow decides otherwise than is recorded; `reason` shows where, and both sides. */
  | { readonly kind: "mismatch"; readonly reason: string };

export function recover(flow: Flow, record: TaskRecord, stepsMax: number): Recovery {
  const program = createProgram(flow, record.task.input_payload, stepsMax);
  const tools = new Map<string, Tool>();
  // a `run` flow makes its first decisions when the task starts
  if (record.task.status === "PLANNED" && flow.body.form === "run") return { kind: "ready", program, tools };

  const steps = record.steps;
  const observed = steps.filter((step) => step.outcome_seq !== null && step.outcome_seq <= record.task.observed_count);
  observed.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
  let planned = 0;
  const compare = (decisions: readonly Decision[]): string | undefined => {
    for (const decision of decisions) {
      const step = steps[planned++];
      const difference = step
        ? differenceOf(step, decision)
        : `it plans step ${planned}, ${describeDecision(decision)}, which was never recorded`;
      if (difference !== undefined) return difference;
      if (step && decision.tool) tools.set(step.id, decision.tool);
    }
    return undefined;
  };

  try {
    let difference = compare(program.start().planned);
    for (const step of observed) {
      if (difference !== undefined) break;
      if (program.end)
        difference = `it ends before step ${step.step_index} (${step.step_name}), whose outcome was recorded`;
      else difference = compare(program.observe(step.path, outcomeOf(step)).planned);
    }
    const missing = steps[planned];
    if (difference === undefined && missing)
      difference = `it does not plan step ${missing.step_index}, recorded as ${describeStep(missing)}`;
    if (difference === undefined) return { kind: "ready", program, tools };
    return { kind: "mismatch", reason: mismatch(flow, difference) };
  } catch (error) {
    return {
      kind: "mismatch",
      reason: mismatch(flow, `it throws ${messageOf(error)}`),
    };
  }
}

export function outcomeOf(step: StepRow): Outcome {
  if (step.output_payload !== null) return { kind: "completed", output: step.output_payload };
  if (step.error !== null) return { kind: "failed", error: step.error };
  throw new Error(`Step ${step.id} of task ${step.task_id} has no outcome.`);
}

function mismatch(flow: Flow, difference: string): string {
  return `Replay does not match the record: flow ${flow.name} has changed: ${difference}. Put the flow's former code back and advance the task again.`;
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

function describe({ kind, name, target, input, path }: Omit<Decision, "tool">): string {
  const shown = input.length > INPUT_SHOWN_MAX ? `${input.slice(0, INPUT_SHOWN_MAX)}…` : input;
  return `${kind} ${name}${target !== null && target !== name ? ` (${target})` : ""} at ${path} with ${shown}`;
}

// resolve: checks what a person says about a step in doubt, for the task's inbox.

import { applyContract } from "../../core/flow/contract.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { readGiven } from "../../core/flow/given-json.ts";
import type { JsonText, StepRow, TaskRecord } from "../../core/record/record.ts";
import { storeError } from "../../core/record/stored-error.ts";
import type { OutputContract, ResolveTask } from "../../core/api/taskonaut.ts";
import type { Tool } from "../../core/flow/tool.ts";
import type { InboxPost } from "../../store/store.ts";
import { settlementOf } from "../task/inbox-posts.ts";
import { isParked } from "../task/is-parked.ts";
import { jsonSchemaOf } from "../task/json-schema-of.ts";
import { recover } from "../task/recover.ts";

interface Limits {
  readonly stepsPerTask: number;
  readonly outputBytes: number;
}

/** Throws task_not_in_doubt, input_invalid, body_too_large, task_parked (the flow decides otherwise than is recorded). */
export function postResolution(
  flow: Flow,
  record: TaskRecord,
  { step: index, resolution }: ResolveTask,
  limits: Limits,
): InboxPost {
  const step = findStep(record, index);
  switch (resolution.kind) {
    case "retry":
      return settlementOf(step, {});
    case "fail":
      return settlementOf(step, { error: storeError(new Error(resolution.message)) });
    case "output": {
      const tool = toolOf(flow, record, step, limits);
      return settlementOf(step, { payload: readOutput(tool, resolution.output, limits.outputBytes) });
    }
  }
}

/** What the output of a step in doubt must be. Throws as `postResolution` does. */
export async function describeOutput(
  flow: Flow,
  record: TaskRecord,
  index: number,
  limits: Pick<Limits, "stepsPerTask">,
): Promise<OutputContract> {
  const { output } = toolOf(flow, record, findStep(record, index), limits);
  return {
    schema: await jsonSchemaOf(output),
    findBreaches: (value) => {
      const result = applyContract(output, value);
      return result.ok ? [] : result.errors;
    },
  };
}

/** The record has its name only: a replay of the flow gives the tool itself. Throws task_parked. */
function toolOf(flow: Flow, record: TaskRecord, step: StepRow, { stepsPerTask }: Pick<Limits, "stepsPerTask">): Tool {
  const recovery = recover(flow, record, stepsPerTask);
  if (recovery.kind !== "ready") throw isParked(record.task.id, recovery.reason);
  const tool = recovery.decisionOf.get(step.id)?.tool;
  if (!tool) throw new Error(`Step ${step.id} of task ${step.task_id} has no tool.`);
  return tool;
}

function findStep({ task, steps }: TaskRecord, index: number | undefined): StepRow {
  const doubtful = steps.filter((step) => step.doubt !== null);
  const known = doubtful.map((step) => step.step_index).join(", ");
  const found = index === undefined ? doubtful : steps.filter((step) => step.step_index === index);
  const [step] = found;
  if (step === undefined && index !== undefined) {
    throw new TaskonautError("input_invalid", `Task ${task.id} has no step ${index}; in doubt: ${known || "none"}.`, {
      errors: [{ path: "step", message: `no such step; in doubt: ${known || "none"}` }],
    });
  }
  if (step === undefined || step.doubt === null) {
    const what = step === undefined ? "no step of it is" : `step ${index} of it is ${step.status} and not`;
    throw new TaskonautError(
      "task_not_in_doubt",
      `Task ${task.id} is ${task.status}, and ${what} in doubt${doubtful.length > 0 ? ` (in doubt: ${known})` : ""}: there is nothing to settle.`,
      { details: { id: task.id, status: task.status } },
    );
  }
  if (found.length === 1) return step;
  throw new TaskonautError("input_invalid", `Several steps of task ${task.id} are in doubt: ${known}. Name one.`, {
    errors: [{ path: "step", message: `which of them: ${known}` }],
  });
}

/** The output of a tool as a person gives it, as it is recorded. Throws input_invalid, body_too_large. */
export function readOutput(tool: Tool, output: unknown, bytesMax: number): JsonText {
  return readGiven(applyContract(tool.output, output), {
    what: "The output",
    of: `tool ${tool.name}`,
    named: "The output",
    bytesMax,
    variable: "TASKONAUT_MAX_OUTPUT_BYTES",
    at: "output",
  });
}

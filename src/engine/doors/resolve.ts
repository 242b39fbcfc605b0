// resolve: what a person says of a step in doubt, checked, for the task's inbox.

import { applyContract } from "../../core/flow/contract.ts";
import { describeViolations, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { toJsonText } from "../../core/record/json.ts";
import type { JsonText, StepRow, TaskRecord } from "../../core/record/record.ts";
import { storeError } from "../../core/record/stored-error.ts";
import type { ResolveTask } from "../../core/api/taskonaut.ts";
import type { Tool } from "../../core/flow/tool.ts";
import type { InboxPost } from "../../store/store.ts";
import { isParked } from "../task/is-parked.ts";
import { recover } from "../task/recover.ts";

interface Limits {
  readonly stepsPerTask: number;
  readonly outputBytes: number;
}

/** Throws task_not_in_doubt, input_invalid, body_too_large, task_parked (the flow decides otherwise than is recorded). */
export function readResolution(
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
      const recovery = recover(flow, record, limits.stepsPerTask);
      if (recovery.kind !== "ready") {
        throw isParked(record.task.id, recovery.reason);
      }
      const tool = recovery.decisionOf.get(step.id)?.tool;
      if (!tool) throw new Error(`Step ${step.id} of task ${step.task_id} has no tool.`);
      return settlementOf(step, { payload: readOutput(tool, resolution.output, limits.outputBytes) });
    }
  }
}

/** For the inbox: what a step in doubt came to; with neither, its tool is called again. */
export function settlementOf(
  step: StepRow,
  { payload = null, error = null }: { readonly payload?: JsonText | null; readonly error?: JsonText | null },
): InboxPost {
  return {
    task_id: step.task_id,
    kind: "resolve",
    name: null,
    step_id: step.id,
    payload,
    error,
    idempotency_key: null,
    attempt_epoch: step.attempt_epoch,
  };
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
    const what = step === undefined ? "no step of it" : `step ${index} of it is ${step.status} and not`;
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

function readOutput(tool: Tool, output: unknown, bytesMax: number): JsonText {
  const parsed = applyContract(tool.output, output);
  const json = parsed.ok ? toJsonText(parsed.value) : parsed;
  if (!json.ok) {
    throw new TaskonautError(
      "input_invalid",
      `The output breaks the contract of tool ${tool.name}: ${describeViolations(json.errors)}`,
      {
        errors: json.errors.map(({ path, message }) => ({ path: path === "" ? "output" : `output.${path}`, message })),
      },
    );
  }
  const bytes = Buffer.byteLength(json.text);
  if (bytes <= bytesMax) return json.text;
  throw new TaskonautError(
    "body_too_large",
    `The output is ${bytes} bytes of JSON; the limit is ${bytesMax} (TASKONAUT_MAX_OUTPUT_BYTES).`,
  );
}

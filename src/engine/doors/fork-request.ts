// Checks a request for a fork against the task's record and its flow.

import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Decision } from "../../core/flow/program.ts";
import { childTaskId, idempotencyKeyOf, stepId } from "../../core/record/ids.ts";
import { toJsonText } from "../../core/record/json.ts";
import type { JsonText, StepRow, TaskRecord } from "../../core/record/record.ts";
import type { ForkEffect, ForkTask } from "../../core/api/forks.ts";
import { readOutput } from "./resolve.ts";
import { readSignal } from "./signal.ts";

interface Limits {
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** Throws input_invalid where the task has no such step, or one is named that is not taken over. */
export function checkForkRequest({ task, steps }: TaskRecord, { from, set = {} }: ForkTask): void {
  const last = steps.length;
  const has = last === 0 ? "has no steps yet" : last === 1 ? "has step 1" : `has the steps 1 to ${last}`;
  const errors: { path: string; message: string }[] = [];
  if (!Number.isInteger(from) || from < 1 || from > last + 1) {
    const message = `expected a step from 1 to ${last + 1}, received ${from}: task ${task.id} ${has}`;
    errors.push({ path: "from", message });
  }
  for (const name of Object.keys(set)) {
    const path = `set.${name}`;
    const step = /^\d{1,9}$/.test(name) ? steps[Number(name) - 1] : undefined;
    if (!step)
      errors.push({ path, message: `expected the number of a step, received ${JSON.stringify(name)}: it ${has}` });
    else if (step.step_index >= from) {
      const message = `step ${name} is not taken over by a fork from step ${from}; fork from step ${step.step_index + 1} to give its output`;
      errors.push({ path, message });
    } else if (step.kind === "sleep") errors.push({ path, message: `step ${name} is a sleep, which has no output` });
  }
  if (errors.length === 0) return;
  throw new TaskonautError("input_invalid", `The fork is wrong: ${errors.map(({ message }) => message).join("; ")}.`, {
    errors,
  });
}

/** Reads the outputs that were given, each once; throws input_invalid where one breaks its contract. */
export function readOutputs(
  flow: Flow,
  set: ForkTask["set"] = {},
  limits: Limits,
): (step: StepRow, decision: Decision) => JsonText | undefined {
  const read = new Map<number, JsonText>();
  return ({ step_index, kind, target }, { tool }) => {
    const name = String(step_index);
    if (!Object.hasOwn(set, name)) return undefined;
    const known = read.get(step_index);
    if (known !== undefined) return known;
    const text = readOne();
    read.set(step_index, text);
    return text;

    function readOne(): JsonText {
      const given = set[name];
      try {
        if (tool) return readOutput(tool, given, limits.outputBytes);
        if (kind === "signal" && target !== null)
          return readSignal(flow, { name: target, payload: given, bytesMax: limits.inputBytes });
      } catch (error) {
        throw withPlace(error, `set.${name}`);
      }
      const json = toJsonText(given);
      if (json.ok) return json.text;
      throw new TaskonautError("input_invalid", "The output holds what JSON cannot carry.", { errors: json.errors });
    }
  };
}

/** Which of several outputs it was. */
function withPlace(error: unknown, place: string): unknown {
  if (!(error instanceof TaskonautError)) return error;
  const errors = error.errors.map(({ path, message }) => {
    const rest = path.replace(/^output\.?/, "");
    return { path: rest === "" ? place : `${place}.${rest}`, message };
  });
  return new TaskonautError(error.code, error.message, { errors, details: error.details, cause: error });
}

/** The effects of the task that the fork does not take over: they happen again, unless its flow decides otherwise. */
export function effectsOf({ steps, calls }: TaskRecord, fork: TaskRecord): readonly ForkEffect[] {
  const taskId = fork.task.id;
  const kept = new Set(fork.steps.flatMap(({ path, outcome_seq }) => (outcome_seq === null ? [] : path)));
  const called = new Set(calls.map((call) => call.task_step_id));
  const hasBegun = ({ id, status }: StepRow): boolean =>
    called.has(id) || status === "RUNNING" || status === "COMPLETED" || status === "FAILED";
  return steps.flatMap((step): ForkEffect[] => {
    const { kind, path, execution, step_index, step_name, target } = step;
    if (kept.has(path) || execution === "pure" || !hasBegun(step)) return [];
    const id = stepId(taskId, path);
    const of = { step_index, step_name, target, execution };
    if (kind === "child") return [{ ...of, kind, idempotency_key: childTaskId(id) }];
    if (kind !== "tool" || target === null) return [];
    return [{ ...of, kind, idempotency_key: idempotencyKeyOf({ taskId, stepId: id, tool: target }) }];
  });
}

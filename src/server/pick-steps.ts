// `?steps=1-200`: only a range of steps, for tasks that have thousands.

import type { StepSummary, Task, TaskStep, TaskSummary } from "../core/api/task.ts";
import type { SummaryPage, TaskPage } from "../core/api/taskonaut.ts";
import { NO_STEPS, type StepRange } from "../core/record/step-range.ts";
import type { Violation } from "../core/errors.ts";
import type { Query } from "./query.ts";

export const STEPS_PARAMETER = "steps";

/** Undefined: all steps. Violations are added to `errors`. */
export function readStepRange(query: Query, errors: Violation[]): StepRange | undefined {
  const [text] = query.get(STEPS_PARAMETER) ?? [];
  if (text === undefined) return undefined;
  if (text === "none") return NO_STEPS;
  if (text === "last") return text;
  const [, first, last] = /^(\d{1,9})-(\d{1,9})$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (from >= 1 && from <= to) return { from, to };
  const message = `expected a range such as 1-200, last, or none, received ${JSON.stringify(text)}`;
  errors.push({ path: STEPS_PARAMETER, message });
  return undefined;
}

/**
 * The task with the steps of the range, and with all steps in doubt, because those need a person. `step_count` is the
 * number of all steps. Without a range the task stays as it is.
 */
export function pickSteps(task: Task | TaskSummary, range: StepRange | undefined): Task | TaskSummary {
  if (range === undefined) return task;
  const count = task.step_count ?? task.steps.length;
  const last = task.steps.at(-1)?.step_index;
  const isPicked = ({ step_index: index, doubt }: TaskStep | StepSummary): boolean =>
    doubt !== null || (range === "last" ? index === last : index >= range.from && index <= range.to);
  if (!("tool_calls" in task)) return { ...task, steps: task.steps.filter(isPicked), step_count: count };
  const steps = task.steps.filter(isPicked);
  const ids = new Set(steps.map(({ id }) => id));
  const tool_calls = task.tool_calls.filter((call) => ids.has(call.task_step_id));
  return { ...task, steps, tool_calls, step_count: count };
}

/** Entries for damaged tasks stay as they are. */
export function pickListed(page: TaskPage | SummaryPage, range: StepRange | undefined): SummaryPage {
  return { ...page, tasks: page.tasks.map((task) => ("damage" in task ? task : pickSteps(task, range))) };
}

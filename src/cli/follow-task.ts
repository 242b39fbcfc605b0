// Runs a task one transition at a time, so that each step can be shown as it ends.

import { TaskonautError } from "../core/errors.ts";
import { isStepOpen, isTerminal } from "../core/record/status.ts";
import type { Task, TaskStep } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";

/**
 * Like `runTask`: until the task has ended or only waits; `max_steps_exhausted` when `maxSteps` transitions were not
 * enough. Calls `onStepEnded` once for each step that ends meanwhile, in the order of planning.
 */
export async function followTask(
  taskonaut: Pick<Taskonaut, "advanceTask">,
  task: Task,
  {
    maxSteps = Number.POSITIVE_INFINITY, // how many steps a task may have is for whoever drives it to say
    onStepEnded,
  }: { maxSteps?: number | undefined; onStepEnded: (step: TaskStep) => Promise<void> },
): Promise<Task> {
  const shown = new Set(task.steps.filter(hasEnded).map(({ id }) => id));
  let current = task;
  for (let transitions = 0; transitions < maxSteps; transitions++) {
    if (isTerminal(current.status)) return current;
    const next = await taskonaut.advanceTask(current.id);
    for (const step of next.steps) {
      if (!hasEnded(step) || shown.has(step.id)) continue;
      shown.add(step.id);
      await onStepEnded(step);
    }
    if (onlyWaits(current, next)) return next;
    current = next;
  }
  if (isTerminal(current.status)) return current;
  throw new TaskonautError(
    "max_steps_exhausted",
    `Task ${task.id} did not reach terminal state within ${maxSteps} steps`,
    {
      details: { task_id: task.id, max_steps: maxSteps },
    },
  );
}

function hasEnded({ status }: TaskStep): boolean {
  return !isStepOpen(status);
}

/** A task that says what it waits for may still have an outcome to observe; one that an advance leaves as it was has none. */
function onlyWaits(before: Task, after: Task): boolean {
  return after.waiting_for.length > 0 && Bun.deepEquals(before, after);
}

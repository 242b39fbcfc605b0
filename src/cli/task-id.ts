// Finds the task that a person means with an id, the beginning of an id, or `@last`.

import { TaskonautError, type Violation } from "../core/errors.ts";
import { parseTaskName, readWholeId } from "../core/record/task-names.ts";
import type { TaskBrief } from "../core/api/task.ts";
import type { FoundTasks, Taskonaut } from "../core/api/taskonaut.ts";
import { standingOfBrief } from "./standing.ts";
import { describeAge } from "./times.ts";

/**
 * The whole id. An id that was typed whole is not looked up. `now` is the wall clock. Throws task_not_found, and
 * task_id_invalid if the text is not an id, or if several ids begin with it; the error lists those tasks.
 */
export async function findTaskId(
  taskonaut: Pick<Taskonaut, "findTasks">,
  text: string,
  now: () => number,
): Promise<string> {
  const whole = readWholeId(text);
  if (whole !== undefined) return whole;
  const name = parseTaskName(text);
  const found = await taskonaut.findTasks(text);
  const [first, second] = found.tasks;
  if (first && !second) return first.id;
  if (first) throw ambiguous(text, found, now());
  const message =
    name.kind === "beginning"
      ? `There is no task whose id begins with ${text}.`
      : `There is no task${name.flow === null ? "" : ` of the flow ${name.flow}`} among the newest ones.`;
  throw new TaskonautError("task_not_found", message, { details: { id: text } });
}

function ambiguous(text: string, { tasks, more }: FoundTasks, now: number): TaskonautError {
  const errors: Violation[] = tasks.map((task) => ({ path: task.id, message: describe(task, now) }));
  if (more) errors.push({ path: "", message: "and more" });
  return new TaskonautError(
    "task_id_invalid",
    `The ids of several tasks begin with ${text}; type more of one of them.`,
    {
      errors,
      details: { ids: tasks.map(({ id }) => id) },
    },
  );
}

/** `order, WAITING, 3 min ago` */
function describe({ flow_name, status, parked_reason, created_at }: TaskBrief, now: number): string {
  const standing = standingOfBrief({ status, parked_reason }).text;
  return `${flow_name}, ${standing}, ${describeAge(created_at, now)}`;
}

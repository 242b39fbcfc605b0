import type { TaskRecord } from "../../src/core/record/record.ts";
import { isDamaged, type Task } from "../../src/core/api/task.ts";
import type { TaskPage } from "../../src/core/api/taskonaut.ts";
import type { TaskList } from "../../src/store/store.ts";

/** The tasks of a page in which nothing is damaged. */
export function tasksOf({ tasks }: TaskPage): Task[] {
  return tasks.map((task) => {
    if (isDamaged(task)) throw new Error(task.damage);
    return task;
  });
}

/** The records of a list in which nothing is damaged. */
export function recordsOf({ tasks }: TaskList): TaskRecord[] {
  return tasks.map((task) => {
    if (task.damage) throw task.damage;
    return task.record;
  });
}

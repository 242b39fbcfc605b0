import { FOUND_MAX, parseTaskName } from "../../core/record/task-names.ts";
import type { FoundTasks } from "../../core/api/taskonaut.ts";
import type { Store } from "../../store/store.ts";
import { toBrief } from "../task/to-task.ts";

/** See `Taskonaut.findTasks`. */
export async function findTasks(store: Pick<Store, "findTasks">, name: string): Promise<FoundTasks> {
  const found = await store.findTasks(parseTaskName(name));
  return { tasks: found.slice(0, FOUND_MAX).map(toBrief), more: found.length > FOUND_MAX };
}

import { TaskonautError } from "../../core/errors.ts";
import { isDamaged } from "../../core/api/task.ts";
import { PAGE_MAX } from "../../core/limits.ts";
import { checkFilter } from "../../core/api/filter-text.ts";
import type { ListTasks, TaskPage } from "../../core/api/taskonaut.ts";
import type { PauseRow, Reading, Store } from "../../store/store.ts";
import { toListedTasks } from "../task/damage.ts";
import { rowFilterOf } from "./row-filter.ts";
import { withPauses } from "../task/to-pause.ts";
import { readCursor, writeCursor } from "./cursor.ts";

/** See `Taskonaut.listTasks`. What a lean reading leaves out is anything but what was recorded. */
export async function listTasks(
  store: Pick<Store, "listTasks" | "now" | "location" | "pauses" | "limits">,
  { limit, cursor, filter: given = {} }: ListTasks,
  reading: Reading = {},
  readPauses: () => readonly PauseRow[] | Promise<readonly PauseRow[]> = () => [],
): Promise<TaskPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
    throw new TaskonautError("input_invalid", `limit must be an integer from 1 to ${PAGE_MAX}, got ${limit}.`, {
      errors: [{ path: "limit", message: `must be 1 to ${PAGE_MAX}` }],
    });
  }
  const filter = checkFilter(given);
  const after = cursor === undefined ? {} : { after: readCursor(cursor, filter) };
  const list = await store.listTasks({ limit, ...(await rowFilterOf(filter, store)), ...after, ...reading });
  const tasks = await toListedTasks(list.tasks, store.location);
  const pauses = await readPauses();
  const told = tasks.map((task) => (isDamaged(task) ? task : withPauses(task, pauses)));
  return { tasks: told, ...(list.next && { next: writeCursor(list.next, filter) }) };
}

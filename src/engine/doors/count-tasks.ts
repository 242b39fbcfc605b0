import { checkFilter, filterPairs } from "../../core/api/filter-text.ts";
import type { CountTasks, TaskCounts } from "../../core/api/task-counts.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import { PAGE_MAX } from "../../core/limits.ts";
import { NEXT, type TaskStatus } from "../../core/record/status.ts";
import type { Clock } from "../../core/clock.ts";
import type { ListKey, Store } from "../../store/store.ts";
import { rowFilterOf } from "./row-filter.ts";

/** A count by search gives up after this time, and says so. */
const COUNT_MS_MAX = 10_000;

/** See `Taskonaut.countTasks`. */
export async function countTasks(
  store: Pick<Store, "counts" | "searchTasks" | "now" | "pauses" | "limits">,
  clock: Pick<Clock, "now">,
  { filter: given = {} }: CountTasks,
): Promise<TaskCounts> {
  const filter = checkFilter(given);
  if (isKept(filter)) return countKept(store, filter);
  const row = await rowFilterOf(filter, store);
  const tally = new Tally();
  const until = clock.now() + COUNT_MS_MAX;
  let after: ListKey | undefined;
  do {
    const { rows, next } = await store.searchTasks({ ...row, limit: PAGE_MAX, ...(after && { after }) });
    for (const { flow_name, status } of rows) tally.add(flow_name, status, 1);
    after = next;
  } while (after !== undefined && clock.now() < until);
  return tally.tell(after === undefined);
}

/** Whether the counts that are kept tell it. */
function isKept(filter: TaskFilter): boolean {
  return filterPairs(filter).every(([name]) => name === "flow" || name === "status");
}

async function countKept(store: Pick<Store, "counts">, { flow, status }: TaskFilter): Promise<TaskCounts> {
  const tally = new Tally();
  for (const count of await store.counts.read()) {
    if (flow && !flow.includes(count.flow_name)) continue;
    if (status && !status.includes(count.status)) continue;
    tally.add(count.flow_name, count.status, count.tasks);
  }
  // without a worker, readers compact the counts; a read-only database is read without that
  await store.counts.fold().catch(() => {});
  return tally.tell(true);
}

const STATUSES = Object.keys(NEXT) as TaskStatus[];

class Tally {
  readonly #flows = new Map<string, Map<TaskStatus, number>>();

  add(flow: string, status: TaskStatus, tasks: number): void {
    let counts = this.#flows.get(flow);
    if (!counts) this.#flows.set(flow, (counts = new Map<TaskStatus, number>()));
    counts.set(status, (counts.get(status) ?? 0) + tasks);
  }

  tell(complete: boolean): TaskCounts {
    const flows = [...this.#flows].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const counts = flows.flatMap(([flow_name, ofFlow]) =>
      STATUSES.flatMap((status) => {
        const count = ofFlow.get(status) ?? 0;
        return count > 0 ? [{ flow_name, status, count }] : [];
      }),
    );
    return { total: counts.reduce((sum, { count }) => sum + count, 0), complete, counts };
  }
}

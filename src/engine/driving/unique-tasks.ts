// One open task per key. A unique index of the store decides which one. The flow says what happens to the other: it is
// refused, joins the open task, or replaces it when that has ended.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { TaskRecord, TaskRow } from "../../core/record/record.ts";
import { isTerminal } from "../../core/record/status.ts";
import type { Store } from "../../store/store.ts";
import type { TaskPlan } from "../doors/create.ts";
import { isParked } from "../task/is-parked.ts";
import type { DrivingTools } from "./driving-tools.ts";
import { cannotCleanUp } from "./end-by-force.ts";

/** How often to look while the replaced task cleans up. */
const LOOK_MS = 50;

export interface UniqueTools extends Pick<DrivingTools, "clock" | "limits" | "stored" | "log"> {
  readonly store: Pick<Store, "admission" | "readTaskRow">;
  /** Cancels the task, and lets its flow clean up. */
  readonly cancel: (id: string) => Promise<unknown>;
}

/** What to do about a task that was not inserted. */
export type Conflict =
  /** The task with this id exists. */
  | { readonly kind: "known" }
  /** The key is free by now. */
  | { readonly kind: "again" }
  | { readonly kind: "joined"; readonly record: TaskRecord };

export class UniqueTasks {
  constructor(private readonly tools: UniqueTools) {}

  /**
   * Throws unique_key_taken; for a task to be replaced, throws task_busy if it does not end in time, and task_parked if
   * it cannot end.
   */
  async settle({ id, flow, parent }: TaskPlan, { task }: TaskRecord): Promise<Conflict> {
    const { store, stored } = this.tools;
    const { unique_key: key } = task;
    if (!flow.unique || key === null || (await store.readTaskRow(id))) return { kind: "known" };
    const other = await store.admission.findOpen(flow.name, key);
    if (other === undefined) return { kind: "again" };
    // a child belongs to its parent, and would wait for its parent in vain
    if (flow.unique.onConflict === "join" && !parent) return { kind: "joined", record: await stored.read(other) };
    if (flow.unique.onConflict !== "replace" || other === parent?.taskId) throw keyTaken(task, other);
    await this.#end(other, task);
    return { kind: "again" };
  }

  /** Resolves when it has ended. */
  async #end(id: string, successor: TaskRow): Promise<void> {
    const { clock, limits, store, log, cancel } = this.tools;
    const until = clock.elapsed() + limits.busyMs;
    log.info?.("task is replaced", { task_id: id, flow: successor.flow_name, by: successor.id });
    try {
      await cancel(id);
    } catch (error) {
      if (!hasCode(error, "task_not_found")) throw error;
    }
    for (;;) {
      const row = await store.readTaskRow(id);
      if (!row || isTerminal(row.status)) return;
      // nobody cleans up: waiting would be in vain
      if (row.parked_reason !== null) throw cannotCleanUp(id, isParked(id, row.parked_reason));
      if (clock.elapsed() > until) {
        throw new TaskonautError(
          "task_busy",
          `Task ${id}, which is to be replaced, was cancelled and has not ended within ${limits.busyMs / 1000} s: its flow cleans up. Try again when it has.`,
          { details: { id } },
        );
      }
      await clock.sleep(LOOK_MS);
    }
  }
}

export function keyTaken({ flow_name: flow, unique_key: key }: TaskRow, other: string): TaskonautError {
  return new TaskonautError(
    "unique_key_taken",
    `Task ${other} of flow ${flow} has the key ${JSON.stringify(key)} and has not ended: there is one open task per key. Wait for its end, or cancel it.`,
    { details: { id: other, flow, key } },
  );
}

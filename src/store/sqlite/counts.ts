// The table `task_counts`. Counts are added up here and written once for a transaction.

import type { TaskStatus } from "../../core/record/status.ts";
import type { CountStore, TaskCount } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";

const ADD = `
  insert into task_counts (flow_name, status, tasks) values ($flow, $status, $tasks)
  on conflict (flow_name, status) do update set tasks = tasks + excluded.tasks`;

const SELECT = "select flow_name, status, tasks from task_counts where tasks <> 0 order by flow_name, status";

/** The counts of one transaction. */
export class CountChanges {
  readonly #flows = new Map<string, Map<TaskStatus, number>>();

  add(flow: string, status: TaskStatus, tasks: number): void {
    let counts = this.#flows.get(flow);
    if (!counts) this.#flows.set(flow, (counts = new Map<TaskStatus, number>()));
    counts.set(status, (counts.get(status) ?? 0) + tasks);
  }

  /** A task goes from one state to another. */
  move(flow: string, from: TaskStatus, to: TaskStatus): void {
    if (from === to) return;
    this.add(flow, from, -1);
    this.add(flow, to, 1);
  }

  /** Within the transaction. */
  write(connection: SqliteConnection): void {
    for (const [flow, counts] of this.#flows) {
      for (const [status, tasks] of counts) {
        if (tasks !== 0) connection.prepare(ADD).run({ flow, status, tasks });
      }
    }
  }
}

/** One row for each count: there is nothing to compact. */
export function countStore(connection: SqliteConnection): CountStore {
  return {
    read: () => connection.read(() => connection.prepare<TaskCount>(SELECT).all()),
    fold: async () => {},
  };
}

// Workers in a store: rows with leases, and which of them are alive.

import type { Judged } from "../core/record/judged.ts";
import type { DeathCause } from "./blame.ts";

/** A process that takes tasks from the queue, or holds some while it runs their tools. */
export interface WorkerRow {
  readonly id: string;
  /** For people: host and process id. */
  readonly name: string;
  /** How many tasks it drives at once; 0: it takes none from the queue. */
  readonly concurrency: number;
  /** Names of the flows that it has, as a JSON array. */
  readonly flows: string;
  /** The code (`Flow.code`) of its flows from files: a JSON object. */
  readonly codes: string;
  readonly started_at: number;
  /** In store time. A worker whose lease has passed holds nothing any more. */
  readonly lease_until: number;
}

/** What a worker says about itself. */
export interface NewWorker {
  readonly id: string;
  readonly name: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** Names of the flows that it has; unset: none. */
  readonly flows?: readonly string[];
  /** The code of its flows from files; unset: none. */
  readonly codes?: Readonly<Record<string, string>>;
}

export interface ListedWorker extends WorkerRow {
  readonly state: WorkerState;
  /** How many tasks it holds now. */
  readonly tasks: number;
}

/**
 * `dead`: its lease has passed, or it is known to be gone although its lease runs (see each dialect's `workers.ts`).
 */
export type WorkerState = "alive" | "dead";

export interface WorkerStore {
  /** Writes the worker's row with a lease from now on, and takes the lock that shows others that it lives. */
  registerWorker(worker: NewWorker): Promise<void>;
  /** What the worker's process does in one go, which may kill it; null: that is done. */
  noteCause(id: string, cause: DeathCause | null): Promise<void>;
  /** Extends the lease from now on; false if the row is gone. */
  renewWorker(id: string, leaseMs: number): Promise<boolean>;
  /**
   * Frees the lock and removes the row, unless the worker still holds a task: then the row stays, dead, so that others
   * see whose task it is. Harmless if there is none.
   */
  removeWorker(id: string): Promise<void>;
  /** `dead` also for an id that has no row. */
  readWorkerState(id: string): Promise<WorkerState>;
  /**
   * Ids of dead workers with a row. Cheap: living workers ask several times a second. If a cause of death is noted, it
   * is recorded (`blame.ts`) before the id is returned.
   */
  findDeadWorkers(): Promise<readonly string[]>;
  /**
   * Removes the rows of dead workers that no longer hold a task. It looks through the queue: call it only now and then.
   */
  forgetDeadWorkers(): Promise<number>;
  /** By started_at. */
  listWorkers(): Promise<readonly Judged<ListedWorker>[]>;
}

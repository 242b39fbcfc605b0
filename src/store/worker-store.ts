// Workers in a store: rows with leases, and which of them are alive.

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
  /** Of the flows that come from files, the code that it has (`Flow.code`): a JSON object. */
  readonly codes: string;
  readonly started_at: number;
  /** In store time. A worker whose lease has passed holds nothing any more. */
  readonly lease_until: number;
}

/** What a worker tells of itself. */
export interface NewWorker {
  readonly id: string;
  readonly name: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** Names of the flows that it has; unset: none. */
  readonly flows?: readonly string[];
  /** Of those from files, their code; unset: none. */
  readonly codes?: Readonly<Record<string, string>>;
}

export interface ListedWorker extends WorkerRow {
  readonly state: WorkerState;
  /** How many tasks it holds now. */
  readonly tasks: number;
}

/** `dead`: its lease has passed, or it is known to be gone although its lease has not (see each dialect's `workers.ts`). */
export type WorkerState = "alive" | "dead";

export interface WorkerStore {
  /** Writes the worker's row with a lease from now on, and takes the lock by which others see that it lives. */
  registerWorker(worker: NewWorker): Promise<void>;
  /** What the worker's process does in one go and may die of; null: that is done. */
  noteCause(id: string, cause: DeathCause | null): Promise<void>;
  /** Prolongs the lease from now on; false where the row is gone. */
  renewWorker(id: string, leaseMs: number): Promise<boolean>;
  /**
   * Frees the lock and removes the row, unless the worker holds a task still: the row stays then, dead, so that others
   * see whose task it is. Harmless where there is none.
   */
  removeWorker(id: string): Promise<void>;
  /** `dead` also for an id that has no row. */
  readWorkerState(id: string): Promise<WorkerState>;
  /**
   * Ids of the rows of workers that are dead. Cheap: living workers ask several times a second. Where it is noted what one
   * died of, that is put down (`blame.ts`) before its id is given.
   */
  findDeadWorkers(): Promise<readonly string[]>;
  /** Removes the rows of dead workers that hold no task any more. Looks through the queue: once in a while. */
  forgetDeadWorkers(): Promise<number>;
  /** By started_at. */
  listWorkers(): Promise<readonly ListedWorker[]>;
}

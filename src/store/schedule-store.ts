// The engine's interface for stored schedules.
//
// SS1. A schedule is written under the fence of its version. A firing creates its tasks and sets the schedule's next time in one
//      commit. So if several workers try, one succeeds, and if no commit succeeds, the firing is still to be made.
// SS2. Schedules of flows' files belong to the code that `schedule_sources` names. Other code changes none of them, and
//      fires none.
// SS3. A firing with a task whose unique key another open task has got meanwhile is not written: it is decided anew.

import type { TaskRecord } from "../core/record/record.ts";
import type { ScheduleRow, ScheduleSourceRow, SkipRow } from "../core/record/schedule.ts";
import type { Audited } from "./audit-store.ts";

/** Of one look at most. */
export const DUE_MAX = 100;

/** Open tasks of a schedule that a firing is told of. */
export const OPEN_TOLD = 20;

export interface DueSchedule {
  readonly row: ScheduleRow;
  /** Ids of its tasks that had not ended when the row was read, OPEN_TOLD at most. */
  readonly open: readonly string[];
}

export interface DueSchedules {
  /** The store's time. */
  readonly now: number;
  /** Those that are due for longest first, DUE_MAX at most. */
  readonly due: readonly DueSchedule[];
  /** When the next one is due; null: none is. */
  readonly nextAt: number | null;
}

/** A flow that a worker has. */
export interface FiringFlow {
  readonly name: string;
  readonly code: string;
}

/** What one firing, or several of one schedule in a row, writes. */
export interface Firing extends Audited {
  /** The row after it. Its version is the expected one and 1. */
  readonly row: ScheduleRow;
  /** A task that exists already (of a backfill) is left as it is. */
  readonly tasks: readonly TaskRecord[];
  /** Where the range begins that is there already, it goes on: `count` is added to it. */
  readonly skips: readonly SkipRow[];
}

/** What the code of a flow's file says. */
export interface Declaration {
  /** The row after it. Its version is the expected one and 1; 1: there is none yet. */
  readonly source: ScheduleSourceRow;
  /** New ones (version 1), and changed ones (the version that is expected and 1). */
  readonly rows: readonly ScheduleRow[];
  /** Of its flow, by their files, that are not in the list of these names any more are removed. */
  readonly names: readonly string[];
}

export interface ScheduleStore {
  /** In order of name. */
  list(page: { readonly limit: number; readonly after?: string }): Promise<readonly ScheduleRow[]>;
  read(name: string): Promise<ScheduleRow | undefined>;
  /** The newest first. */
  readSkips(name: string): Promise<readonly SkipRow[]>;
  /** False where the name is taken. */
  insert(row: ScheduleRow, audited?: Audited): Promise<boolean>;
  remove(name: string, version: number, audited?: Audited): Promise<boolean>;
  /** What is due of these flows now, and when the next one is. */
  readDue(flows: readonly FiringFlow[]): Promise<DueSchedules>;
  /** SS1, SS3. Each place tells whether that firing was written; no two are of one schedule. */
  fire(firings: readonly Firing[]): Promise<readonly boolean[]>;
  /** A task of each has ended: a firing that waits for that is due now. Gives how many there are. */
  wakeQueued(names: readonly string[]): Promise<number>;
  listSources(): Promise<readonly ScheduleSourceRow[]>;
  /** False where other code came first: nothing is written. A row whose version is another by now is left as it is. */
  declare(declaration: Declaration): Promise<boolean>;
  /** The worker's code is still there, for those flows whose schedules it says. */
  confirm(flows: readonly FiringFlow[]): Promise<void>;
}

// The engine's interface for stored schedules.
//
// SS1. A schedule is written under the fence of its version. A firing creates its tasks and sets the schedule's next
//      time in one commit. So if several workers try, one succeeds, and if no commit succeeds, the firing is still to
//      be made.
// SS2. Schedules of flows' files belong to the code that `schedule_sources` names. Other code changes none of them, and
//      fires none.
// SS3. If another open task has got the unique key of a firing's task meanwhile, the firing is not written: it is
//      decided again.

import type { TaskRecord } from "../core/record/record.ts";
import type { Judged } from "../core/record/judged.ts";
import type { ScheduleRow, ScheduleSourceRow, SkipRow } from "../core/record/schedule.ts";
import type { Audited } from "./audit-store.ts";

/** The most schedules of one read. */
export const DUE_MAX = 100;

/** The most open tasks of a schedule that a firing gets. */
export const OPEN_TOLD = 20;

export interface DueSchedule {
  readonly row: Judged<ScheduleRow>;
  /** Ids of its tasks that were open when the row was read, at most OPEN_TOLD. */
  readonly open: readonly string[];
}

export interface DueSchedules {
  /** The store's time. */
  readonly now: number;
  /** The longest due first, at most DUE_MAX. */
  readonly due: readonly DueSchedule[];
  /** When the next one is due; null: none. */
  readonly nextAt: number | null;
}

/** A flow that a worker has. */
export interface FiringFlow {
  readonly name: string;
  readonly code: string;
}

/** What one firing, or several in a row of one schedule, writes. */
export interface Firing extends Audited {
  /** The row after it. Its version is the expected one plus 1. */
  readonly row: ScheduleRow;
  /** A task that exists already (in a backfill) stays as it is. */
  readonly tasks: readonly TaskRecord[];
  /** If a range with this start exists, it is extended: `count` is added to it. */
  readonly skips: readonly SkipRow[];
}

/** The declarations in the code of a flow's file. */
export interface Declaration {
  /** The row after it. Its version is the expected one plus 1; 1: there is none yet. */
  readonly source: ScheduleSourceRow;
  /** New ones (version 1), and changed ones (the expected version plus 1). */
  readonly rows: readonly ScheduleRow[];
  /** The flow's schedules from files that are not in this list of names are removed. */
  readonly names: readonly string[];
}

export interface ScheduleStore {
  /** In order of name. */
  list(page: { readonly limit: number; readonly after?: string }): Promise<readonly Judged<ScheduleRow>[]>;
  read(name: string): Promise<Judged<ScheduleRow> | undefined>;
  /** The newest first. */
  readSkips(name: string): Promise<readonly Judged<SkipRow>[]>;
  /** False if the name is taken. */
  insert(row: ScheduleRow, audited?: Audited): Promise<boolean>;
  remove(name: string, version: number, audited?: Audited): Promise<boolean>;
  /** The due schedules of these flows, and when the next one is due. */
  readDue(flows: readonly FiringFlow[]): Promise<DueSchedules>;
  /** SS1, SS3. Each place says whether that firing was written; no two are of one schedule. */
  fire(firings: readonly Firing[]): Promise<readonly boolean[]>;
  /** A task of each schedule has ended: a firing that waits for that is due now. Returns how many there are. */
  wakeQueued(names: readonly string[]): Promise<number>;
  listSources(): Promise<readonly Judged<ScheduleSourceRow>[]>;
  /** False if other code came first: nothing is written. A row with another version by now stays as it is. */
  declare(declaration: Declaration): Promise<boolean>;
  /** Confirms that the worker's code is still running, for the flows whose schedules it declares. */
  confirm(flows: readonly FiringFlow[]): Promise<void>;
}

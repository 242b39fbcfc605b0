// The engine's interface for stored tasks. Two dialects implement it (`sqlite/`, `postgres/`), and one suite
// (`test/contract`) tests both. A store knows rows, fences and time; it knows nothing about what flows do.
//
// S1. A change is written whole or not at all, and only where the task still has the version and the owner that the
//     change expects. So a driver that lost its task can write nothing, and two drivers never both win.
// S2. When a promise of a write resolves, the write is durable. When it rejects with `database_unavailable`, the
//     outcome is unknown: it may have been written.
// S3. No method hangs: each ends within its deadline, with a result or an error.
// S4. The rows that a method returns belong to the caller, who may change them.

import type { TaskonautError } from "../core/errors.ts";
import type { InboxRow, JsonText, StepRow, TaskRecord, TaskRow, ToolCallRow } from "../core/record/record.ts";
import type { RowFilter } from "../core/record/row-filter.ts";
import type { TaskStatus } from "../core/record/status.ts";
import type { TaskName } from "../core/record/task-names.ts";
import type { AdmissionStore } from "./admission-store.ts";
import type { StepRange } from "../core/record/step-range.ts";
import type { Audited, AuditStore } from "./audit-store.ts";
import type { CounterStore } from "./counter-store.ts";
import type { FigureStore } from "./figure-store.ts";
import type { EventStore } from "./event-store.ts";
import type { PauseRow, PauseStore } from "./pause-store.ts";
import type { RemovalStore } from "./removal-store.ts";
import type { LimitStore, Rate } from "./limit-store.ts";
import type { SessionStore } from "./session-store.ts";
import type { TokenStore } from "./token-store.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { WorkerStore } from "./worker-store.ts";

export type { NewPause, PauseRow, PauseScope, UnawareWorker } from "./pause-store.ts";
export { pauseLine, toolOfLine } from "./pause-store.ts";

/** Everything that one write does to one task. */
export interface Change extends Audited {
  readonly taskId: string;
  /** The version that the task must have. */
  readonly expectedVersion: number;
  /** Its state before: that of the expected version. */
  readonly fromStatus: TaskStatus;
  /** The lease_owner that the task must have. */
  readonly expectedOwner: string | null;
  /**
   * The task's row after the change; its version is higher than the expected one. wake_seq is not written: where the
   * store has another by now, an outsider has come meanwhile, and the task is due at once instead of at `due_at`.
   */
  readonly task: TaskRow;
  /** The one change that may lead out of an end: FAILED back to RUNNING. */
  readonly reopens: boolean;
  /** The task's `tags` are others than before: they are searched for by the new ones. */
  readonly retags: boolean;
  readonly newSteps: readonly StepRow[];
  /** Rows that exist; written is what `changes` (`tables.ts`). */
  readonly changedSteps: readonly StepRow[];
  readonly newCalls: readonly ToolCallRow[];
  /** The same of calls. */
  readonly changedCalls: readonly ToolCallRow[];
  /** `seq` of inbox rows of this task that are dealt with. */
  readonly consumed: readonly number[];
  /** What other tasks are to hear: a parent of its child's end, children of a cancel. None of them is in the batch. */
  readonly posts: readonly InboxPost[];
}

/** A new task with all its rows. */
export interface NewRecord extends TaskRecord, Audited {}

/** Something for a task's inbox. It wakes the task; one that has ended hears nothing any more. */
export type InboxPost = Pick<
  InboxRow,
  "task_id" | "kind" | "name" | "step_id" | "payload" | "error" | "idempotency_key" | "attempt_epoch"
>;

export type PostResult =
  | { readonly kind: "posted" }
  /** The idempotency key was used before for this task; `same` tells whether for the same signal and payload. */
  | { readonly kind: "duplicate"; readonly same: boolean }
  /** The task has ended, or there is none. */
  | { readonly kind: "refused" };

/** Of one commit: some milliseconds. */
export const POSTS_MAX = 500;

/** Signals of these names, and all that is no signal, beyond seq `after`. */
export interface InboxQuery {
  readonly names: readonly string[];
  readonly after: number;
}

export interface InboxPage {
  /** Of the task. What was posted up to it is on this page and the next ones. */
  readonly wakeSeq: number;
  /**
   * The first INBOX_PAGE that the query asks for, in order of arrival. Then what counts at once, where it came later: the
   * first cancel without a payload, and the first with one.
   */
  readonly rows: readonly InboxRow[];
  /** `after` of the next page; null: there is no more. */
  readonly next: number | null;
}

/** Rows of a page of an inbox: a driver takes one at a time. */
export const INBOX_PAGE = 20;

/** How much of a task is read. */
export interface Reading {
  /** For a summary: long inputs and outputs are left where they are, and their columns hold anything but them. */
  readonly isLean?: boolean;
  /** Of a large task at least these steps, with their calls, and all that tell what it waits for; unset: all. */
  readonly steps?: StepRange | undefined;
}

/** The place of a task in lists. */
export interface ListKey {
  readonly createdAt: number;
  readonly id: string;
}

export interface SearchPage {
  /** Unset: all tasks. */
  readonly filter?: RowFilter;
  /** 1 to PAGE_MAX. */
  readonly limit: number;
  /** Only tasks that come after this one: (created_at, id) both smaller, in this order. */
  readonly after?: ListKey;
}

export interface ListPage extends SearchPage, Reading {}

export interface TaskList {
  /**
   * As many as the page's limit says, or fewer where they are large (no page but that of a single task has many bytes),
   * and where a filter lets few through (no page looks at many tasks): then there may be none, and a next page.
   */
  readonly tasks: readonly ListedTask[];
  /** Where the next page begins; unset on the last one. */
  readonly next?: ListKey;
}

/** What a search finds, without more of each task than tells it from others. */
export interface FoundTasks {
  readonly rows: readonly BriefRow[];
  /** As of a TaskList. */
  readonly next?: ListKey;
}

/** `damage`: why its record cannot be read. */
export type ListedTask =
  | { readonly record: TaskRecord; readonly damage?: undefined }
  | { readonly id: string; readonly created_at: number; readonly damage: TaskonautError };

/** How many tasks are in a state. */
export interface TaskCount {
  readonly flow_name: string;
  readonly status: TaskStatus;
  readonly tasks: number;
}

/** How many tasks there are: kept with every write, so that nobody has to count them. */
export interface CountStore {
  /** By flow and state, in this order; none of them is 0. */
  read(): Promise<readonly TaskCount[]>;
  /** What many writes have added is put together, where there is much of it. Nothing changes for who reads. */
  fold(): Promise<void>;
}

/** Of a task's row what tells it from others. */
export type BriefRow = Pick<TaskRow, "id" | "flow_name" | "status" | "parked_reason" | "created_at">;

/** Of a task's row what tells whether it has ended, or whether somebody should go on with it. */
export type Glance = Pick<TaskRow, "id" | "finished_at" | "due_at" | "lease_owner">;

/** How far the tool of a step has come. */
export interface ProgressNote {
  readonly taskId: string;
  readonly stepId: string;
  readonly idempotencyKey: string;
  readonly progress: JsonText;
}

/** `@last` is looked for among so many of the newest tasks. */
export const LAST_AMONG = 1000;

/** One `glance` is given no more. */
export const GLANCES_MAX = 500;

/** One `noteProgress` is given no more. */
export const PROGRESS_NOTES_MAX = 200;

/** What a worker asks of the queue: due tasks of flows that it has loaded. */
export interface ClaimRequest {
  readonly workerId: string;
  /** In all; 1 to CLAIM_MAX. */
  readonly limit: number;
  /** No two of one name. */
  readonly flows: readonly ClaimFlow[];
  /** Dead workers whose tasks are taken over like those that nobody holds. */
  readonly deadOwners: readonly string[];
}

export interface ClaimFlow {
  readonly name: string;
  /** How many tasks of this flow at most: the caller's share for it; 1 or more. */
  readonly limit: number;
  /**
   * How many tasks of this flow all workers together may hold at once; null: as many as they like. What was claimed
   * under a limit counts; what is run by hand may.
   */
  readonly heldMax: number | null;
  /**
   * Its tasks have keys (`limit_key`): keys take turns, and within a key those come first that have begun, then those that
   * are due for longest. Unset: they have none. `heldMax`: how many of one key all workers together may hold; null: as many
   * as they like. What is set in the table `limits` counts in the place of these numbers.
   */
  readonly keys?: { readonly heldMax: number | null } | undefined;
  /** How many may be claimed that have not begun, within any stretch of time as long as `perMs`. Unset: as many as one likes. */
  readonly rate?: Rate | null | undefined;
}

/** Whether a limit stands on the flow: then its claims go one after the other. */
export function isLimited({ heldMax, keys, rate }: Omit<ClaimFlow, "limit">): boolean {
  return heldMax !== null || keys !== undefined || (rate ?? null) !== null;
}

/** A rate is counted in so many slices of its time. */
const SLICES = 100;

/** How long a slice is, of starts that are counted together. */
export function sliceMs({ perMs }: Rate): number {
  return Math.max(1, Math.ceil(perMs / SLICES));
}

/** Of one claim at most. */
export const CLAIM_MAX = 500;

export interface Claim {
  /** By flow, of each flow those with the smallest priority first, of these those that are due for longest. */
  readonly tasks: readonly ClaimedTask[];
  /**
   * When the next task of these flows is due that could not be claimed yet because its time has not come; null: none is.
   * In store time. Known only where `tasks` is empty; else null.
   */
  readonly nextDueAt: number | null;
  /** The store's time of the claim. */
  readonly now: number;
  /** What was paused then: no task of a flow that is was claimed. */
  readonly pauses: readonly PauseRow[];
  /** More would have been claimed, had the tasks been smaller: one claim leases so many bytes, or one task. */
  readonly isCut?: boolean;
}

export interface ClaimedTask {
  /** As it is now: leased to the worker, its version raised by 1, due_at as it was. */
  readonly record: TaskRecord;
  /** The dead worker that held it; null: nobody did. */
  readonly takenFrom: string | null;
  /** The task is large, and `record` holds nothing but its row: the rest is to be read by itself, with `readTask`. */
  readonly isBare?: boolean;
}

/** Ends of a watch and what it is worth. */
export interface Watch {
  /** `polling`: this database cannot tell when there is news (a pooler between); the watcher looks for itself. */
  readonly kind: "notified" | "polling";
  close(): Promise<void>;
}

/** At a task. It orders callers, and decides nothing: versions do. */
export interface Turn {
  /** It ends by itself in a moment. */
  readonly isOver: boolean;
  /** Harmless when repeated. */
  end(): void;
}

/** Of who does not wait. */
export const NO_TURN: Turn = { isOver: true, end: () => {} };

export interface Store extends WorkerStore {
  readonly tokens: TokenStore;
  readonly dialect: "sqlite" | "postgres";
  /** For people, without passwords: `sqlite:/home/me/tasks.db`, `postgres://me@host:5432/name`. */
  readonly location: string;

  readonly schedules: ScheduleStore;

  /** The store's clock, milliseconds since 1970: the one that leases, due times and timeouts are compared by. */
  now(): Promise<number>;

  /**
   * Inserts whole tasks, all in one commit. A task whose id exists is left as it is, and one whose unique key an open task
   * of its flow has is not inserted: its place holds false.
   */
  insertTasks(records: readonly NewRecord[]): Promise<readonly boolean[]>;

  /**
   * Writes the changes of different tasks in one commit (no two of one task), each under its fence (S1).
   * Each place of the result tells whether that change was written. A change that the database refuses
   * (a constraint, a unique key) makes the whole batch reject, with nothing written.
   */
  commitChanges(changes: readonly Change[]): Promise<readonly boolean[]>;

  /**
   * For a caller that has lost a write of a task to another process: waits, for a moment at most, until callers are done
   * who came before, so that what it reads then is not out of date when it writes. Never rejects; where it cannot wait it
   * resolves at once.
   */
  takeTurn(taskId: string): Promise<Turn>;

  /** Throws record_damaged. A large task is read page by page, while others may write to it (`records.ts`). */
  readTask(id: string, reading?: Reading): Promise<TaskRecord | undefined>;
  /** The task's row alone. */
  readTaskRow(id: string): Promise<TaskRow | undefined>;
  /** Of those of these tasks that exist, in any order; GLANCES_MAX at most are asked for. It reads their rows alone. */
  glance(ids: readonly string[]): Promise<readonly Glance[]>;
  /** A page of what waits in a task's inbox. What it reads is bounded, however many signals wait there that nobody wants. */
  readInbox(taskId: string, query: InboxQuery): Promise<InboxPage>;
  /**
   * Puts it down with calls that run, of tasks that the worker or nobody holds, and passes the others over. It raises no
   * version, and waits for nobody who writes to them. Gives the steps of those that were written.
   */
  noteProgress(workerId: string, notes: readonly ProgressNote[]): Promise<readonly string[]>;
  /** The outsiders' write: raises wake_seq, never the version. */
  postToTask(post: InboxPost, audited?: Audited): Promise<PostResult>;
  /**
   * The same for many tasks in one commit: POSTS_MAX at most, no two to one task, all under one idempotency key or under
   * none. Gives in their order what came of each.
   */
  postToTasks(posts: readonly InboxPost[]): Promise<readonly PostResult["kind"][]>;
  /** Newest first: created_at falling, then id falling. */
  listTasks(page: ListPage): Promise<TaskList>;
  /** The same, of their rows what tells one from others. */
  searchTasks(page: SearchPage): Promise<FoundTasks>;
  /**
   * The tasks that a name may stand for, by id: one more than FOUND_MAX at most. For `@last` one or none, of the newest
   * LAST_AMONG tasks. It walks a range of an index, and reads these rows alone.
   */
  findTasks(name: TaskName): Promise<readonly BriefRow[]>;

  /**
   * Leases due tasks that nobody living holds to a worker, in one commit; two workers never get the same task, and
   * where a flow has a `heldMax` it holds however many claim at once. PLANNED tasks are claimed like any other once due_at
   * has come. Where the answer is lost, the tasks may have been claimed: see releaseTasks. Throws
   * worker_not_registered where the worker has no row: others have forgotten it while it was away. Where nothing is due
   * that need not be looked at. Tasks of a flow that is paused, or of all where everything is, are passed over.
   */
  claimTasks(request: ClaimRequest): Promise<Claim>;
  /**
   * Lets go of every task that the worker holds, but for those of the list; they stay due, and the starts of their steps
   * count from none again: who lets go has not died. Gives how many.
   */
  releaseTasks(release: { readonly workerId: string; readonly except: readonly string[] }): Promise<number>;
  /**
   * Lets go of tasks in the queue whose owner has no row in `workers`: nobody would find it dead. Gives how many. On
   * PostgreSQL it walks the queue: not to be called often.
   */
  releaseOrphans(): Promise<number>;
  /** Makes parked tasks due that were parked by other code than these flows have now. Gives how many. */
  unparkTasks(flows: readonly { readonly name: string; readonly code: string }[]): Promise<number>;

  /** Tells the watchers in other processes that a task may be due. Not durable, and cheap, but no part of a hot path. */
  announce(): Promise<void>;
  /**
   * Calls `onNews` whenever another process may have made a task due: some calls come for nothing, and one comes
   * after each time at which some may have been missed. Connects before it resolves.
   */
  watch(onNews: () => void): Promise<Watch>;

  readonly removal: RemovalStore;
  /** Limits over all workers, and the tickets of tools. */
  readonly limits: LimitStore;

  /** What people and tokens have done. */
  readonly audit: AuditStore;
  /** Who has logged in to the dashboard. */
  readonly sessions: SessionStore;
  /** What is paused. */
  readonly pauses: PauseStore;
  /** Tasks that may not begin. */
  readonly admission: AdmissionStore;

  /** How many tasks there are. */
  readonly counts: CountStore;
  /** What else there is to tell of all of them together. */
  readonly figures: FigureStore;
  /** What happened when. */
  readonly counters: CounterStore;
  /** What happened to tasks lately. */
  readonly events: EventStore;

  /** Throws `database_unavailable`, `database_behind`, `database_ahead` or `migration_changed`. */
  checkReady(): Promise<void>;
  close(): Promise<void>;
}

/** What a heartbeat needs of a store. */
export type SignOfLife = Pick<Store, "registerWorker" | "renewWorker" | "findDeadWorkers" | "watch">;

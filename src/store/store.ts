// The engine's interface for stored tasks. Two dialects implement it (`sqlite/`, `postgres/`), and one suite
// (`test/contract`) tests both. A store knows rows, fences and time; it knows nothing about what flows do.
//
// S1. A change is written whole or not at all, and only if the task still has the version and the owner that the change
//     expects. So a driver that lost its task can write nothing, and two drivers never both win.
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
  /** Its state before the change, in the expected version. */
  readonly fromStatus: TaskStatus;
  /** The lease_owner that the task must have. */
  readonly expectedOwner: string | null;
  /**
   * The task's row after the change; its version is higher than the expected one. wake_seq is not written: if the store
   * has another value by now, an outsider has come meanwhile, and the task is due at once instead of at `due_at`.
   */
  readonly task: TaskRow;
  /** The only change that may lead out of an end: FAILED back to RUNNING. */
  readonly reopens: boolean;
  /** The task's `tags` have changed: searches use the new ones. */
  readonly retags: boolean;
  readonly newSteps: readonly StepRow[];
  /** Existing rows; only columns with `changes` (`tables.ts`) are written. */
  readonly changedSteps: readonly StepRow[];
  readonly newCalls: readonly ToolCallRow[];
  /** The same for calls. */
  readonly changedCalls: readonly ToolCallRow[];
  /** `seq` of the consumed inbox rows of this task. */
  readonly consumed: readonly number[];
  /** Posts for tasks outside the batch: a parent hears of its child's end, children hear of a cancel. */
  readonly posts: readonly InboxPost[];
}

/** A new task with all its rows. */
export interface NewRecord extends TaskRecord, Audited {}

/** An entry for a task's inbox. It wakes the task; a task that has ended hears nothing any more. */
export type InboxPost = Pick<
  InboxRow,
  "task_id" | "kind" | "name" | "step_id" | "payload" | "error" | "idempotency_key" | "attempt_epoch"
>;

export type PostResult =
  | { readonly kind: "posted" }
  /** The idempotency key was used before for this task; `same`: for the same signal and payload. */
  | { readonly kind: "duplicate"; readonly same: boolean }
  /** The task has ended, or does not exist. */
  | { readonly kind: "refused" };

/** The most posts of one commit: some milliseconds. */
export const POSTS_MAX = 500;

/** Signals of these names, and all entries that are not signals, beyond seq `after`. */
export interface InboxQuery {
  readonly names: readonly string[];
  readonly after: number;
}

export interface InboxPage {
  /** The task's wake_seq. Entries posted up to it are on this page and the next ones. */
  readonly wakeSeq: number;
  /**
   * The first INBOX_PAGE rows of the query, in order of arrival. After them, entries that count at once, if they came
   * later: the first cancel without a payload, and the first with one.
   */
  readonly rows: readonly InboxRow[];
  /** `after` of the next page; null: there is none. */
  readonly next: number | null;
}

/** The rows of one page of an inbox: a driver takes one at a time. */
export const INBOX_PAGE = 20;

/** How much of a task is read. */
export interface Reading {
  /** For a summary: long inputs and outputs are not read, and their columns hold anything else. */
  readonly isLean?: boolean;
  /** For a large task at least these steps, with their calls, and all steps that show what it waits for; unset: all. */
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
   * As many as the page's limit; fewer if they are large (only a page of a single task has many bytes), or if a filter
   * accepts few (no page looks at many tasks): then it may be empty, with a next page.
   */
  readonly tasks: readonly ListedTask[];
  /** Where the next page begins; unset on the last one. */
  readonly next?: ListKey;
}

/** The results of a search, with only the distinguishing columns of each task. */
export interface FoundTasks {
  readonly rows: readonly BriefRow[];
  /** As in a TaskList. */
  readonly next?: ListKey;
}

/** `damage`: why its record cannot be read. */
export type ListedTask =
  | { readonly record: TaskRecord; readonly damage?: undefined }
  | { readonly id: string; readonly created_at: number; readonly damage: TaskonautError };

/** The number of tasks in a state. */
export interface TaskCount {
  readonly flow_name: string;
  readonly status: TaskStatus;
  readonly tasks: number;
}

/** The numbers of tasks: updated with every write, so that nobody has to count them. */
export interface CountStore {
  /** By flow and state, in this order; none is 0. */
  read(): Promise<readonly TaskCount[]>;
  /** Compacts the rows of many writes, if there are many. Readers see no change. */
  fold(): Promise<void>;
}

/** The distinguishing columns of a task's row. */
export type BriefRow = Pick<TaskRow, "id" | "flow_name" | "status" | "parked_reason" | "created_at">;

/** The columns of a task's row that show whether it has ended, or whether somebody should continue it. */
export type Glance = Pick<TaskRow, "id" | "finished_at" | "due_at" | "lease_owner">;

/** The progress of a step's tool. */
export interface ProgressNote {
  readonly taskId: string;
  readonly stepId: string;
  readonly tool: string;
  readonly progress: JsonText;
}

/** `@last` is searched among this many of the newest tasks. */
export const LAST_AMONG = 1000;

/** The most ids of one `glance`. */
export const GLANCES_MAX = 500;

/** The most entries of one `noteProgress`. */
export const PROGRESS_NOTES_MAX = 200;

/** A worker's request to the queue: due tasks of flows that it has loaded. */
export interface ClaimRequest {
  readonly workerId: string;
  /** The total; 1 to CLAIM_MAX. */
  readonly limit: number;
  /** No two have the same name. */
  readonly flows: readonly ClaimFlow[];
  /** Dead workers whose tasks are taken over like tasks that nobody holds. */
  readonly deadOwners: readonly string[];
}

export interface ClaimFlow {
  readonly name: string;
  /** The most tasks of this flow: the caller's share for it; 1 or more. */
  readonly limit: number;
  /**
   * How many tasks of this flow all workers together may hold at once; null: any number. Tasks claimed under a limit
   * count; tasks run by hand may count.
   */
  readonly heldMax: number | null;
  /**
   * Its tasks have keys (`limit_key`): keys take turns, and within a key, tasks that have begun come first, then the
   * longest due. Unset: no keys. `heldMax`: how many tasks of one key all workers together may hold; null: any number.
   * Numbers set in the table `limits` replace these.
   */
  readonly keys?: { readonly heldMax: number | null } | undefined;
  /** How many tasks that have not begun may be claimed within any period of `perMs`. Unset: any number. */
  readonly rate?: Rate | null | undefined;
}

/** Whether the flow has a limit: then its claims go one after the other. */
export function isLimited({ heldMax, keys, rate }: Omit<ClaimFlow, "limit">): boolean {
  return heldMax !== null || keys !== undefined || (rate ?? null) !== null;
}

/** How many slices a rate's time has, for counting. */
const SLICES = 100;

/** The length of a slice, whose starts are counted together. */
export function sliceMs({ perMs }: Rate): number {
  return Math.max(1, Math.ceil(perMs / SLICES));
}

/** The most tasks of one claim. */
export const CLAIM_MAX = 500;

export interface Claim {
  /** By flow; within a flow the smallest priority first, then the longest due. */
  readonly tasks: readonly ClaimedTask[];
  /**
   * When the next task of these flows is due whose time has not come yet; null: none is. In store time. Known only if
   * `tasks` is empty; otherwise null.
   */
  readonly nextDueAt: number | null;
  /** The store's time of the claim. */
  readonly now: number;
  /** The pauses at that time: no task of a paused flow was claimed. */
  readonly pauses: readonly PauseRow[];
  /** Smaller tasks would have allowed a larger claim: one claim leases a limited number of bytes, or one task. */
  readonly isCut?: boolean;
}

export interface ClaimedTask {
  /** The current record: leased to the worker, its version raised by 1, due_at unchanged. */
  readonly record: TaskRecord;
  /** The dead worker that held it; null: nobody held it. */
  readonly takenFrom: string | null;
  /** The task is large, and `record` holds only its row: read the rest separately, with `readTask`. */
  readonly isBare?: boolean;
}

/** Ends a watch, and says how reliable it is. */
export interface Watch {
  /** `polling`: this database cannot send news (a pooler is in between); the watcher has to poll. */
  readonly kind: "notified" | "polling";
  close(): Promise<void>;
}

/** A turn at a task. It orders callers, and decides nothing: versions do. */
export interface Turn {
  /** It soon ends by itself. */
  readonly isOver: boolean;
  /** Harmless when repeated. */
  end(): void;
}

/** The turn of a caller that does not wait. */
export const NO_TURN: Turn = { isOver: true, end: () => {} };

export interface Store extends WorkerStore {
  readonly tokens: TokenStore;
  readonly dialect: "sqlite" | "postgres";
  /** For people, without passwords: `sqlite:/home/me/tasks.db`, `postgres://me@host:5432/name`. */
  readonly location: string;

  readonly schedules: ScheduleStore;

  /** The store's clock, milliseconds since 1970: leases, due times and timeouts are compared with it. */
  now(): Promise<number>;

  /**
   * Inserts whole tasks, all in one commit. An existing task stays as it is, and a task is not inserted if an open task
   * of its flow has its unique key: its place is false.
   */
  insertTasks(records: readonly NewRecord[]): Promise<readonly boolean[]>;

  /**
   * Writes the changes of different tasks in one commit (no two of one task), each under its fence (S1). Each place of
   * the result says whether that change was written. If the database refuses a change (a constraint, a unique key), the
   * whole batch rejects, with nothing written.
   */
  commitChanges(changes: readonly Change[]): Promise<readonly boolean[]>;

  /**
   * For a caller that has lost a write of a task to another process: waits a moment at most, until earlier callers are
   * done, so that its next read is not out of date when it writes. Never rejects; resolves at once if it cannot wait.
   */
  takeTurn(taskId: string): Promise<Turn>;

  /** Throws record_damaged. A large task is read page by page, while others may write to it (`records.ts`). */
  readTask(id: string, reading?: Reading): Promise<TaskRecord | undefined>;
  /** Only the task's row. */
  readTaskRow(id: string): Promise<TaskRow | undefined>;
  /** For the existing ones of these tasks, in any order; at most GLANCES_MAX ids. It reads only their rows. */
  glance(ids: readonly string[]): Promise<readonly Glance[]>;
  /** A page of a task's inbox. It reads a bounded amount, however many unwanted signals wait there. */
  readInbox(taskId: string, query: InboxQuery): Promise<InboxPage>;
  /**
   * Records it with running calls of tasks that the worker or nobody holds, and skips all others. It raises no version,
   * and waits for no other writer. Returns the steps that were written.
   */
  noteProgress(workerId: string, notes: readonly ProgressNote[]): Promise<readonly string[]>;
  /** The outsiders' write: raises wake_seq, never the version. */
  postToTask(post: InboxPost, audited?: Audited): Promise<PostResult>;
  /**
   * The same for many tasks in one commit: at most POSTS_MAX, no two to one task, all under one idempotency key or
   * without any. Returns the results in the same order.
   */
  postToTasks(posts: readonly InboxPost[]): Promise<readonly PostResult["kind"][]>;
  /** Newest first: by created_at descending, then by id descending. */
  listTasks(page: ListPage): Promise<TaskList>;
  /** The same, with only the distinguishing columns. */
  searchTasks(page: SearchPage): Promise<FoundTasks>;
  /**
   * The tasks that a name may stand for, by id: at most FOUND_MAX plus one. For `@last` one or none, among the newest
   * LAST_AMONG tasks. It walks a range of an index, and reads only these rows.
   */
  findTasks(name: TaskName): Promise<readonly BriefRow[]>;

  /**
   * Leases due tasks that no living worker holds to a worker, in one commit; two workers never get the same task, and a
   * flow's `heldMax` holds however many claim at once. PLANNED tasks are claimed like any other once due_at has come.
   * If the answer is lost, the tasks may have been claimed: see releaseTasks. Throws worker_not_registered if the
   * worker has no row, because others removed it while it was away. If nothing is due, the row need not be checked.
   * Tasks of a paused flow are skipped, or all tasks if everything is paused.
   */
  claimTasks(request: ClaimRequest): Promise<Claim>;
  /**
   * Releases every task that the worker holds, except the listed ones; they stay due, and the starts of their steps
   * count from none again, because a worker that releases has not died. Returns how many.
   */
  releaseTasks(release: { readonly workerId: string; readonly except: readonly string[] }): Promise<number>;
  /**
   * Releases tasks in the queue whose owner has no row in `workers`, because nobody would find that owner dead. Returns
   * how many. On PostgreSQL it walks the queue: do not call it often.
   */
  releaseOrphans(): Promise<number>;
  /** Makes tasks due that were parked by other code than these flows have now. Returns how many. */
  unparkTasks(flows: readonly { readonly name: string; readonly code: string }[]): Promise<number>;

  /** Tells the watchers in other processes that a task may be due. Not durable, and cheap, but not for a hot path. */
  announce(): Promise<void>;
  /**
   * Calls `onNews` whenever another process may have made a task due: some calls are needless, and one comes after each
   * time at which some may have been missed. Connects before it resolves.
   */
  watch(onNews: () => void): Promise<Watch>;

  readonly removal: RemovalStore;
  /** Limits over all workers, and the tickets of tools. */
  readonly limits: LimitStore;

  /** The actions of people and tokens. */
  readonly audit: AuditStore;
  /** Who has logged in to the dashboard. */
  readonly sessions: SessionStore;
  /** The pauses. */
  readonly pauses: PauseStore;
  /** Tasks that may not begin. */
  readonly admission: AdmissionStore;

  /** The numbers of tasks. */
  readonly counts: CountStore;
  /** Other figures about all of them. */
  readonly figures: FigureStore;
  /** What happened in each minute. */
  readonly counters: CounterStore;
  /** Recent changes of tasks. */
  readonly events: EventStore;

  /** Throws `database_unavailable`, `database_behind`, `database_ahead` or `migration_changed`. */
  checkReady(): Promise<void>;
  close(): Promise<void>;
}

/** The part of a store that a heartbeat needs. */
export type SignOfLife = Pick<Store, "registerWorker" | "renewWorker" | "findDeadWorkers" | "watch">;

// The interface for the CLI and the server. Behind it is the engine in this process, or a server over HTTP; callers see no
// difference.

import type { Violation } from "../errors.ts";
import type { Json } from "../record/json-value.ts";
import type { AuditLog } from "./audit.ts";
import type { Schedule, Schedules } from "./schedules.ts";
import type { ListedSummary, ListedTask, Task, TaskBrief, TaskSummary } from "./task.ts";
import type { Pause, Pauses } from "./pauses.ts";
import type { Bulk } from "./bulk.ts";
import type { Events } from "./events.ts";
import type { Forks } from "./forks.ts";
import type { Limits } from "./limits.ts";
import type { Results } from "./results.ts";
import type { CreatedTask, CreateTask, RunTask } from "./create-task.ts";
import type { CountTasks, TaskCounts } from "./task-counts.ts";
import type { ReadStats, Stats } from "./stats.ts";
import type { StepRange } from "../record/step-range.ts";
import type { TaskFilter } from "./task-filter.ts";
import type { Trace } from "../record/trace.ts";
import type { Tokens } from "./tokens.ts";
import type { Worker } from "./worker.ts";

export interface CancelTask {
  readonly force?: boolean;
}

export interface LookAtSteps {
  /** Of a large task steps may be left out that are not among these; then `step_count` tells how many there are. */
  readonly steps?: StepRange | undefined;
}

export interface ListTasks extends LookAtSteps {
  /** How many tasks at most, 1 to 1000; fewer come where they are large, and where a filter lets few through. */
  readonly limit: number;
  /** Unset: all tasks. */
  readonly filter?: TaskFilter;
  /** The `next` of the page before, under the same filter; unset for the first page. */
  readonly cursor?: string;
}

export interface TaskPage {
  /** Newest first: by created_at, then by id, both falling. */
  readonly tasks: readonly ListedTask[];
  /** Opaque; unset on the last page. */
  readonly next?: string;
}

export interface SummaryPage {
  /** As in a TaskPage. */
  readonly tasks: readonly ListedSummary[];
  readonly next?: string;
}

export interface FoundTasks {
  /** By id, FOUND_MAX at most. */
  readonly tasks: readonly TaskBrief[];
  /** There are others, which are not told. */
  readonly more: boolean;
}

/** Of a file that no worker has had yet, and where no database was asked, its times are null. */
export type FlowSchedule = Pick<
  Schedule,
  "name" | "owner" | "cron" | "every_ms" | "time_zone" | "next_at" | "paused_at"
>;

export interface FlowDescription {
  readonly name: string;
  readonly description: string;
  /** `plan`: every step is known when the task is created; `run`: steps depend on earlier outcomes. */
  readonly form: "plan" | "run";
  /** Where it was loaded from; null for a flow that comes with the program. */
  readonly file: string | null;
  /** How many of its tasks all workers together may drive at once; null: as many as they like. */
  readonly concurrency: number | null;
  /** How long its tasks are kept once they have ended so, in milliseconds; null: until somebody removes them. */
  readonly retention_ms: {
    readonly completed: number | null;
    readonly failed: number | null;
    readonly cancelled: number | null;
  };
  /** When its tasks are made by themselves: those that its file says, and those made by commands. */
  readonly schedules: readonly FlowSchedule[];
  /** What holds its steps back: its own pause, and that of everything. */
  readonly pauses: readonly Pause[];
  /** JSON Schema (draft 2020-12) of the flow's input. */
  readonly input_schema: { readonly [key: string]: Json };
  /** JSON Schema of each signal's payload, by name. */
  readonly signals: { readonly [name: string]: { readonly [key: string]: Json } };
}

export interface SignalTask {
  readonly name: string;
  /** As it came: the contract of the flow's signal is applied to it. */
  readonly payload: unknown;
  /** The same key for the same task delivers once: 1 to 255 characters. */
  readonly idempotencyKey?: string;
}

/** How a person settles a step in doubt. */
export type Resolution =
  /** The effect happened, and this came of it: the tool's output contract is applied to it. */
  | { readonly kind: "output"; readonly output: unknown }
  /** It did not happen: call the tool again, under the same idempotency key. */
  | { readonly kind: "retry" }
  /** The step failed, with this message. */
  | { readonly kind: "fail"; readonly message: string };

export interface ResolveTask {
  /** The step_index of the step; may be left out where just one step of the task is in doubt. */
  readonly step?: number;
  readonly resolution: Resolution;
}

/** What a tool's output must be. */
export interface OutputContract {
  readonly schema: FlowDescription["input_schema"];
  /** What is wrong with a value as a whole, by the contract itself. */
  findBreaches(value: unknown): readonly Violation[];
}

export interface Taskonaut {
  /** What people and tokens have changed. */
  readonly audit: AuditLog;
  readonly tokens: Tokens;
  readonly bulk: Bulk;
  /** What tasks come to, for whoever waits for it. */
  readonly results: Results;
  readonly forks: Forks;
  /** What happens to tasks, while it happens. */
  readonly events: Events;
  readonly schedules: Schedules;
  /** How many of flows and tools run at once, and begin within a time, over all workers. */
  readonly limits: Limits;
  /** In order of name. */
  listFlows(): Promise<readonly FlowDescription[]>;
  /** Throws flow_not_found. */
  describeFlow(name: string): Promise<FlowDescription>;
  /** Throws flow_not_found, input_invalid, idempotency_key_reused, unique_key_taken. A task that the idempotency key finds stays as it is: it is not queued again. */
  createTask(request: CreateTask): Promise<CreatedTask>;
  /** Makes exactly one transition, durable when it returns; a task that has ended comes back as it is. Throws task_not_found, task_id_invalid, task_busy. */
  advanceTask(id: string): Promise<Task>;
  /** Advances until the task has ended or only waits. Throws also max_steps_exhausted: what was done so far stays. */
  runTask(id: string, options?: RunTask): Promise<Task>;
  /**
   * To be asked before a task is created that is to be run or advanced: otherwise it would be there, and nobody would run
   * it. Throws forbidden if the caller may create tasks alone.
   */
  checkMayRun(): Promise<void>;
  /** Leaves a signal for the task, which it takes when it waits for one. Throws task_ended, input_invalid. */
  signalTask(id: string, signal: SignalTask): Promise<Task>;
  /**
   * Cancels the task and lets its `finally` blocks run. A task that has ended is returned as it is. With `force` the task has
   * ended when this returns, and `left_undone` lists what its flow has not cleaned up. Throws task_parked if the flow cannot
   * clean up now; the cancel is recorded all the same.
   */
  cancelTask(id: string, options?: CancelTask): Promise<Task>;
  /** Opens the failed step that ended the task again, under the same key. Throws task_not_retryable with the reason. */
  retryTask(id: string): Promise<Task>;
  /** Settles a step in doubt. Throws task_not_in_doubt, input_invalid (no such step, several, an output that breaks the tool's contract). */
  resolveTask(id: string, request: ResolveTask): Promise<Task>;
  /**
   * What the output of a step in doubt must be. Undefined over HTTP: only a process with the flow's code knows it. Throws
   * task_not_in_doubt, flow_not_loaded, task_parked.
   */
  describeOutput(id: string, step: number): Promise<OutputContract | undefined>;
  /** Continues a parked task. Throws task_parked if its reason still applies. */
  resumeTask(id: string): Promise<Task>;
  /** Throws task_not_found, task_id_invalid (no UUID; any letter case is taken). */
  getTask(id: string, look?: LookAtSteps): Promise<Task>;
  /** Newest first. With a filter a page may be short, or empty, and have a next one. Throws input_invalid. */
  listTasks(request: ListTasks): Promise<TaskPage>;
  /** How many tasks there are, by flow and state. Throws input_invalid. */
  countTasks(request?: CountTasks): Promise<TaskCounts>;
  /** What happened when, for charts. The last five seconds may be missing. Throws input_invalid. */
  readStats(request?: ReadStats): Promise<Stats>;
  /** What has ended of the task, as spans. Throws as getTask. */
  readTrace(id: string): Promise<Trace>;
  /** As getTask, without payloads and without the flat list of tool calls. */
  getTaskSummary(id: string, look?: LookAtSteps): Promise<TaskSummary>;
  /** As listTasks, with summaries. */
  listTaskSummaries(request: ListTasks): Promise<SummaryPage>;
  /**
   * The tasks that a name may stand for: an id, the beginning of one (4 characters or more), `@last` (the newest that is
   * no child) or `@last:<flow>`. Throws task_id_invalid.
   */
  findTasks(name: string): Promise<FoundTasks>;
  /** What is paused: flows, tools, or everything. */
  readonly pauses: Pauses;
  /** Processes that take tasks from the queue or hold some, the oldest first. */
  listWorkers(): Promise<readonly Worker[]>;
  /** Returns if tasks can be created and advanced now: the store is reachable and migrated. Else it throws the reason. */
  checkReady(): Promise<void>;
  /** Lets running steps end (bounded by the grace period), then releases everything held. */
  close(): Promise<void>;
}

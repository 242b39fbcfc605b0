// The task resource: what people and programs see of a task, over HTTP, in the CLI and in the client alike.
// Its field names are the contract of the HTTP API; fields may be added, none may go or change its type.

import type { LeftUndone } from "../record/left-undone.ts";
import type { Json } from "../record/json-value.ts";
import type { Progress } from "../record/progress.ts";
import type { StepStatus, TaskStatus, ToolCallStatus } from "../record/status.ts";
import type { StoredError } from "../record/stored-error.ts";
import type { Tags } from "../record/tags.ts";

/** RFC 3339, UTC, milliseconds: `2026-11-23T03:39:25.130Z`. */
export type Timestamp = string;

export interface ToolCall {
  readonly id: string;
  readonly task_id: string;
  readonly task_step_id: string;
  readonly idempotency_key: string;
  readonly tool_name: string;
  readonly status: ToolCallStatus;
  /** How many attempts came before the last one. */
  readonly retry_count: number;
  /** How far the tool has come, as it told it last; null: it has ended, or tells nothing. */
  readonly progress: Progress | null;
  /** What the last attempt that failed said, even where a later one succeeded. */
  readonly last_error: string | null;
  readonly started_at: Timestamp;
  readonly finished_at: Timestamp | null;
  readonly request_payload: Json;
  readonly response_payload: Json;
  readonly error_message: string | null;
  /** All that is recorded of what was thrown, whose message that is. */
  readonly error: StoredError | null;
  readonly created_at: Timestamp;
}

export interface TaskStep {
  readonly id: string;
  readonly task_id: string;
  readonly step_index: number;
  readonly step_name: string;
  readonly status: StepStatus;
  readonly input_payload: Json;
  readonly output_payload: Json;
  readonly error_message: string | null;
  readonly error: StoredError | null;
  /** Why nobody knows whether the effect of its at-most-once tool happened; null: it is not in doubt. */
  readonly doubt: string | null;
  /** The task that the step runs: only a step that runs a child has the field, unless a fork took it over with its outcome. */
  readonly child_task_id?: string;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  readonly tool_calls: readonly ToolCall[];
}

/**
 * What a task waits for: time, a signal (with or without a timeout), the end of a child, the next attempt of a tool,
 * somebody who settles a step in doubt (`resolve`), its turn under a limit, or the end of a pause.
 */
export interface Waiting {
  readonly kind: "time" | "signal" | "child" | "retry" | "doubt" | "limit" | "pause";
  /** The signal, the child's flow, the step that is tried again or in doubt, the limit, or what is paused; null for time, and where everything is paused. */
  readonly name: string | null;
  /** When the time is up, by the store's clock. */
  readonly until: Timestamp | null;
  /** For a child: its task. */
  readonly task_id: string | null;
  /** Of a pause: why, where that was told. Of a limit: what of it stands before the task: `100 in 1m`, `5 at once`. */
  readonly reason?: string | null;
  /** Of a limit: how many come before it, of its key where there are keys; more than 100,000 are not counted. */
  readonly before?: number | null;
}

export interface Task {
  readonly id: string;
  readonly status: TaskStatus;
  readonly flow_name: string;
  /** The file that its flow was loaded from when it was created; null for a flow that comes with the program. */
  readonly flow_file: string | null;
  /** The highest step_index that has an outcome; 0 before the first. */
  readonly current_step: number;
  readonly input_payload: Json;
  /** Null until COMPLETED. */
  readonly output_payload: Json;
  readonly error_message: string | null;
  readonly error: StoredError | null;
  /** The worker that drives the task now, if it needs one. */
  readonly lease_owner: string | null;
  /** Why nobody drives the task although it has not ended; null for all others. */
  readonly parked_reason: string | null;
  /** What the task waits for while nothing else is left to do; else empty. */
  readonly waiting_for: readonly Waiting[];
  /** Of all open tasks of its flow it alone has this key; null: its flow has no keys. */
  readonly unique_key: string | null;
  /** If it has not begun by then it is CANCELLED; null once it has, and where it has all the time it likes. */
  readonly expires_at: Timestamp | null;
  /** Why it was CANCELLED, where nobody has cancelled it; else null. */
  readonly cancel_reason: string | null;
  /** Of a task that was cancelled by force: what its flow could not clean up; null for all others. */
  readonly left_undone: readonly LeftUndone[] | null;
  readonly parent_task_id: string | null;
  /** The task whose record it shares, and the step_index of the first step that it does not; null: it was not forked. */
  readonly forked_from: { readonly task_id: string; readonly step: number } | null;
  /** Text to text, by which it is found. */
  readonly tags: Tags;
  /** The schedule that made it; null for all others. */
  readonly schedule: string | null;
  /** The header of W3C Trace Context that it was created with: its trace is that one's. Null: it has its own, named by its id. */
  readonly traceparent: string | null;
  /** 0 (first) to 9 (last) in the queue. */
  readonly priority: number;
  /** When a worker may take the task; null: it is not in the queue. */
  readonly due_at: Timestamp | null;
  /** About how large its record is: every JSON text in it once, and a share for each step. */
  readonly recorded_bytes: number;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  /** Null until it has ended. */
  readonly finished_at: Timestamp | null;
  /** How many steps there are, where `steps` has been told to hold only some of them. */
  readonly step_count?: number;
  readonly steps: readonly TaskStep[];
  readonly tool_calls: readonly ToolCall[];
}

/** Of a task what tells it from others. */
export type TaskBrief = Pick<Task, "id" | "status" | "flow_name" | "parked_reason" | "created_at">;

/** A tool call without what went in and came out. */
type CallSummary = Omit<ToolCall, "request_payload" | "response_payload">;

/** A step without what went in and came out. */
export type StepSummary = Omit<TaskStep, "input_payload" | "output_payload" | "tool_calls"> & {
  readonly tool_calls: readonly CallSummary[];
};

/** A task without payloads, and without the list of tool calls that repeats those of its steps. */
export type TaskSummary = Omit<Task, "input_payload" | "output_payload" | "steps" | "tool_calls"> & {
  readonly steps: readonly StepSummary[];
};

/** What a list says in the place of a task whose record cannot be read. */
export interface DamagedTask {
  readonly id: string;
  readonly created_at: Timestamp;
  /** Which table of which database, and what is wrong there. */
  readonly damage: string;
}

export type ListedTask = Task | DamagedTask;

export type ListedSummary = TaskSummary | DamagedTask;

export function isDamaged(task: ListedTask | ListedSummary): task is DamagedTask {
  return "damage" in task;
}

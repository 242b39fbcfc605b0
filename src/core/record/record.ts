// A task as it is recorded: the rows of the three tables, column by column, the same in both stores.
// Times are milliseconds since 1970 (UTC). JSON columns hold their text, exactly as it was first written.

import type { StepStatus, TaskStatus, ToolCallStatus } from "./status.ts";

/** JSON text, as `JSON.stringify` wrote it: valid UTF-8, with NUL and lone surrogates as escapes. */
export type JsonText = string;

/** A row in the making, which nobody else has yet. */
export type Writable<Row> = { -readonly [Column in keyof Row]: Row[Column] };

export interface TaskRow {
  readonly id: string;
  readonly flow_name: string;
  readonly status: TaskStatus;
  /** Raised by every write of the task's driver, by the number of transitions in it or by 1. The fence. */
  readonly version: number;
  readonly current_step: number;
  /** How many recorded outcomes the flow has been given so far. */
  readonly observed_count: number;
  readonly input_payload: JsonText;
  readonly output_payload: JsonText | null;
  /** Why the task FAILED: a stored error (`core/record/stored-error.ts`). */
  readonly error: JsonText | null;
  /** A row of `workers`: who claimed the task from the queue, or drives it through tools that are not pure. */
  readonly lease_owner: string | null;
  /** When a worker may take the task; null: not before somebody asks. It stays while the task is leased. */
  readonly due_at: number | null;
  /** 0 (first) to 9 (last). */
  readonly priority: number;
  /** What counts together under the limits of its flow, computed when it was created; null: the flow had no key then. */
  readonly limit_key: string | null;
  /** Raised by outsiders (signals, children, cancels), never by the driver. */
  readonly wake_seq: number;
  readonly parked_reason: string | null;
  /** Of the flow's code that parked it (`Flow.code`); a worker that has other code for the flow takes it up again. */
  readonly parked_code: string | null;
  /** Of the flow's code that drove it last (`Flow.code`): whatever is recorded is what that code decides. Null: a flow that comes with the program. */
  readonly flow_code: string | null;
  /** The file that its flow was loaded from when it was created, on the machine where that was; null for one that comes with the program. */
  readonly flow_file: string | null;
  /** The task that this one is a child of, and its step that waits for it. */
  readonly parent_task_id: string | null;
  readonly parent_step_id: string | null;
  /** The schedule that made it; null for all others. */
  readonly schedule: string | null;
  /** By which it is found: a JSON object of texts (`core/record/tags.ts`); null: it has none. */
  readonly tags: JsonText | null;
  /** Those that it was created with, where its flow has set others since (`{}`: it had none); null: `tags` are these. */
  readonly given_tags: JsonText | null;
  /** The header that came with its creation (`core/record/trace-ids.ts`): its trace is that one's. Null: it has a trace of its own. */
  readonly traceparent: string | null;
  /** Of a task that was forked from another one (`core/record/origin.ts`); null: it was not. */
  readonly origin: JsonText | null;
  /** What it waits for while it rests (`core/record/waits.ts`); null: for nothing. */
  readonly waits: number | null;
  /** 0 for a task without a parent. */
  readonly depth: number;
  /** How many outcomes the flow had been given when it heard of the cancel; null: it was not cancelled. */
  readonly cancelled_after: number | null;
  readonly cancelled_at: number | null;
  /** What a cancel by force left behind (`core/record/left-undone.ts`); null: it was not cancelled by force. */
  readonly left_undone: JsonText | null;
  /** About what its record takes: every JSON text in it once, and a share for each step (`core/record/record-size.ts`). */
  readonly recorded_bytes: number;
  /** Of all tasks of its flow that have not ended it alone has this key (`core/flow/unique.ts`); null: its flow had no keys. */
  readonly unique_key: string | null;
  /** If it has not begun by then, in store time, it is CANCELLED; null once it has, and where it has all the time it likes. */
  readonly expires_at: number | null;
  /** Why the task was CANCELLED, where nobody has cancelled it. */
  readonly cancel_reason: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly finished_at: number | null;
}

export type StepKind = "tool" | "sleep" | "signal" | "child";

/** What a tool can bear when a process dies in its middle (ARCHITECTURE.md: guarantees). */
export type Execution = "pure" | "at-least-once" | "at-most-once";

export interface StepRow {
  readonly id: string;
  readonly task_id: string;
  /** From 1, in the order of planning. */
  readonly step_index: number;
  /** Where the decision stands in the flow's call tree: the step's identity. */
  readonly path: string;
  readonly kind: StepKind;
  readonly step_name: string;
  /** For `tool`: the tool; for `signal`: the signal; for `child`: the flow; null for `sleep`. */
  readonly target: string | null;
  /** The guarantee of its tool when it was decided, which stands whatever the code says later; null: it has no tool. */
  readonly execution: Execution | null;
  readonly status: StepStatus;
  readonly input_payload: JsonText;
  readonly output_payload: JsonText | null;
  readonly error: JsonText | null;
  /** 1, 2, 3 … in the order in which the task's outcomes were recorded; null while there is none. */
  readonly outcome_seq: number | null;
  /** When the flow was given the outcome: what `now()` tells from then on. */
  readonly observed_at: number | null;
  /** When a sleep ends, a wait times out, or a tool is tried again, in store time. */
  readonly due_at: number | null;
  /** Raised when the failed step is opened again by hand. */
  readonly attempt_epoch: number;
  /** How often it was started since an attempt of its tool last ended: more than once, and a worker died meanwhile. */
  readonly starts: number;
  /** The limit of its tool whose ticket it waits for; null: it does not. With a due_at, at which it asks again. */
  readonly limited_by: string | null;
  /** Why nobody knows whether the effect of its at-most-once tool happened: a stored error; null: not in doubt. */
  readonly doubt: JsonText | null;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface ToolCallRow {
  readonly id: string;
  readonly task_id: string;
  readonly task_step_id: string;
  /** `<task_id>:<step_id>:<tool_name>`, unique. */
  readonly idempotency_key: string;
  readonly tool_name: string;
  readonly status: ToolCallStatus;
  readonly retry_count: number;
  /** What the tool told last of its progress, while it runs (`core/flow/progress.ts`). */
  readonly progress: JsonText | null;
  /** That of its step when it was made. A call of an earlier epoch says nothing about the step any more. */
  readonly attempt_epoch: number;
  readonly last_error: JsonText | null;
  readonly request_payload: JsonText;
  readonly response_payload: JsonText | null;
  readonly error: JsonText | null;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly created_at: number;
}

/** What an outsider left for a task: a signal, the end of a child, a cancel, what settles a step in doubt, a ticket. */
export interface InboxRow {
  readonly task_id: string;
  /** The wake_seq that came with it: 1, 2, 3 … within the task. */
  readonly seq: number;
  readonly kind: "signal" | "child" | "cancel" | "resolve" | "ticket";
  /** Of the signal. */
  readonly name: string | null;
  /** The step that waits for the child, that is settled, or that has its ticket now. */
  readonly step_id: string | null;
  /** Of a signal, the output of a child, or of the step that is settled. `resolve` with neither: try again; `cancel` with one: by force. */
  readonly payload: JsonText | null;
  /** Why the child failed, or the step that is settled: a stored error. */
  readonly error: JsonText | null;
  readonly idempotency_key: string | null;
  /** Of the step that a `resolve` settles: one that was opened again since is another. */
  readonly attempt_epoch: number | null;
  readonly created_at: number;
}

/** One task, whole. Steps by step_index, calls by (created_at, step_index of their step). */
export interface TaskRecord {
  readonly task: TaskRow;
  readonly steps: readonly StepRow[];
  readonly calls: readonly ToolCallRow[];
  /** How many steps there are, where only those are here that somebody looks at: nobody drives the task by it. */
  readonly stepCount?: number;
}

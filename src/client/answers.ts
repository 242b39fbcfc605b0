// What the answers of a taskonaut server look like: enough of it to tell another server apart. Fields may be added, so
// objects are open; the answer itself is handed on untouched, in its own order of keys.

import * as v from "valibot";
import type { ErrorCode, Violation } from "../core/errors.ts";
import { NEXT, NEXT_STEP, type ToolCallStatus } from "../core/record/status.ts";
import type { ForkPreview } from "../core/api/forks.ts";
import type { FlowDescription, FoundTasks } from "../core/api/taskonaut.ts";
import type { DamagedTask, ListedSummary, ListedTask, Task, TaskSummary } from "../core/api/task.ts";
import type { Pause, Paused } from "../core/api/pauses.ts";
import type { TaskCounts } from "../core/api/task-counts.ts";
import type { Worker } from "../core/api/worker.ts";

/** A schema that checks a shape and stands for a type of core, whose fields beyond that shape it takes on trust. */
export type Answer<T> = v.GenericSchema<T, T>;

const Text = v.string();
const TextOrNull = v.nullable(v.string());

/** Of a server that says so much. */
const ErrorAnswer = v.optional(
  v.nullable(v.looseObject({ name: Text, message: Text, at: v.optional(Text), cause: v.optional(v.looseObject({})) })),
);

const CallAnswer = v.looseObject({
  id: Text,
  idempotency_key: Text,
  tool_name: Text,
  status: v.picklist(["RUNNING", "COMPLETED", "FAILED"] satisfies ToolCallStatus[]),
  retry_count: v.number(),
  last_error: TextOrNull,
  error_message: TextOrNull,
  error: ErrorAnswer,
  started_at: Text,
  finished_at: TextOrNull,
});

const StepAnswer = v.looseObject({
  id: Text,
  step_index: v.number(),
  step_name: Text,
  status: v.picklist(Object.keys(NEXT_STEP)),
  error_message: TextOrNull,
  error: ErrorAnswer,
  doubt: TextOrNull,
  child_task_id: v.optional(Text),
  tool_calls: v.array(CallAnswer),
});

/** All that is shown on a terminal has its type here: what is taken for a number or a word there is one. */
const SUMMARY = {
  id: Text,
  status: v.picklist(Object.keys(NEXT)),
  flow_name: Text,
  flow_file: TextOrNull,
  current_step: v.number(),
  error_message: TextOrNull,
  error: ErrorAnswer,
  lease_owner: TextOrNull,
  parked_reason: TextOrNull,
  cancel_reason: v.optional(TextOrNull, null),
  left_undone: v.optional(
    v.nullable(v.array(v.looseObject({ what: Text, step_index: v.number(), step_name: Text, task_id: TextOrNull }))),
    null,
  ),
  parent_task_id: TextOrNull,
  forked_from: v.nullable(v.looseObject({ task_id: Text, step: v.number() })),
  tags: v.record(Text, Text),
  schedule: TextOrNull,
  priority: v.number(),
  due_at: TextOrNull,
  recorded_bytes: v.number(),
  created_at: Text,
  updated_at: Text,
  finished_at: TextOrNull,
  waiting_for: v.array(v.looseObject({ kind: Text, name: TextOrNull, until: TextOrNull, task_id: TextOrNull })),
  steps: v.array(StepAnswer),
};

export const TaskAnswer = v.looseObject({ ...SUMMARY, tool_calls: v.array(CallAnswer) }) as unknown as Answer<Task>;

export const SummaryAnswer = v.looseObject(SUMMARY) as unknown as Answer<TaskSummary>;

/** What stands in a list for a task whose record cannot be read. */
const DamagedAnswer = v.looseObject({ id: Text, created_at: Text, damage: Text }) as unknown as Answer<DamagedTask>;

export const TasksAnswer: Answer<readonly ListedTask[]> = v.array(v.union([TaskAnswer, DamagedAnswer]));

export const SummariesAnswer: Answer<readonly ListedSummary[]> = v.array(v.union([SummaryAnswer, DamagedAnswer]));

export const ForkAnswer = v.looseObject({
  id: Text,
  flow_name: Text,
  forked_from: v.looseObject({ task_id: Text, step: v.number() }),
  shared_steps: v.number(),
  effects: v.array(
    v.looseObject({
      step_index: v.number(),
      step_name: Text,
      target: TextOrNull,
      kind: v.picklist(["tool", "child"]),
      execution: TextOrNull,
      idempotency_key: Text,
    }),
  ),
}) as unknown as Answer<ForkPreview>;

export const FoundAnswer = v.looseObject({
  tasks: v.array(
    v.looseObject({
      id: Text,
      status: v.picklist(Object.keys(NEXT)),
      flow_name: Text,
      parked_reason: TextOrNull,
      created_at: Text,
    }),
  ),
  more: v.boolean(),
}) as unknown as Answer<FoundTasks>;

export const CountsAnswer = v.looseObject({
  total: v.number(),
  complete: v.boolean(),
  counts: v.array(v.looseObject({ flow_name: Text, status: v.picklist(Object.keys(NEXT)), count: v.number() })),
}) as unknown as Answer<TaskCounts>;

const PauseAnswer = v.looseObject({
  scope: v.picklist(["all", "flow", "tool"] satisfies Pause["scope"][]),
  name: TextOrNull,
  reason: TextOrNull,
  by: Text,
  since: Text,
});

export const FlowAnswer = v.looseObject({
  name: v.string(),
  description: v.string(),
  form: v.picklist(["plan", "run"]),
  file: TextOrNull,
  concurrency: v.nullable(v.number()),
  retention_ms: v.looseObject({
    completed: v.nullable(v.number()),
    failed: v.nullable(v.number()),
    cancelled: v.nullable(v.number()),
  }),
  schedules: v.array(
    v.looseObject({
      name: Text,
      owner: v.picklist(["flow", "command"]),
      cron: TextOrNull,
      every_ms: v.nullable(v.number()),
      time_zone: Text,
      next_at: TextOrNull,
      paused_at: TextOrNull,
    }),
  ),
  pauses: v.array(PauseAnswer),
  input_schema: v.looseObject({}),
  signals: v.record(v.string(), v.looseObject({})),
}) as unknown as Answer<FlowDescription>;

export const FlowsAnswer: Answer<readonly FlowDescription[]> = v.array(FlowAnswer);

export const WorkersAnswer = v.array(
  v.looseObject({
    id: Text,
    name: Text,
    state: v.picklist(["alive", "dead"] satisfies Worker["state"][]),
    concurrency: v.number(),
    flows: v.array(Text),
    tasks: v.number(),
    started_at: Text,
    lease_until: Text,
  }),
) as unknown as Answer<readonly Worker[]>;

export const PausesAnswer = v.array(PauseAnswer) as unknown as Answer<readonly Pause[]>;

export const PausedAnswer = v.looseObject({
  pause: PauseAnswer,
  unanswered: v.array(Text),
}) as unknown as Answer<Paused>;

export const ReadyAnswer: Answer<{ status: string }> = v.looseObject({ status: v.literal("ready") });

/** A problem (RFC 9457) as our servers write it. */
export const ProblemAnswer = v.looseObject({
  code: v.string(),
  detail: v.string(),
  errors: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
}) as unknown as Answer<{ code: ErrorCode | (string & {}); detail: string; errors?: readonly Violation[] }>;

// What a server answers about tasks and flows, and its problems (`contract.ts`).

import * as v from "valibot";
import { ERRORS, type ErrorCode, type Violation } from "../errors.ts";
import type { LeftUndone } from "../record/left-undone.ts";
import type { Progress } from "../record/progress.ts";
import { NEXT, NEXT_STEP, type StepStatus, type TaskStatus, type ToolCallStatus } from "../record/status.ts";
import type { StoredError } from "../record/stored-error.ts";
import { WAIT_KINDS } from "../record/waits.ts";
import {
  type Answer,
  Id,
  IdOrNull,
  Payload,
  Text,
  TextOrNull,
  Time,
  TimeOrNull,
  Whole,
  WholeOrNull,
  word,
} from "./contract.ts";
import { PauseAnswer } from "./pause-answers.ts";
import type { ForkPreview } from "./forks.ts";
import type {
  DamagedTask,
  ListedSummary,
  ListedTask,
  StepSummary,
  Task,
  TaskBrief,
  TaskStep,
  TaskSummary,
  ToolCall,
  Waiting,
} from "./task.ts";
import type { Span, Trace } from "../record/trace.ts";
import type { TaskCounts } from "./task-counts.ts";
import type { FlowDescription, FoundTasks } from "./taskonaut.ts";
import type { Worker } from "./worker.ts";

export const TaskStatusWord = v.picklist(Object.keys(NEXT) as TaskStatus[]);

const ViolationAnswer: Answer<Violation> = v.looseObject({ path: Text, message: Text });

export const StoredErrorAnswer: Answer<StoredError> = v.looseObject({
  name: Text,
  message: Text,
  code: v.exactOptional(v.union([Text, v.number()])),
  fields: v.exactOptional(v.record(Text, Payload)),
  at: v.exactOptional(Text),
  cause: v.exactOptional(v.lazy((): Answer<StoredError> => StoredErrorAnswer)),
  members: v.exactOptional(v.array(v.lazy((): Answer<StoredError> => StoredErrorAnswer))),
  errors: v.exactOptional(v.array(ViolationAnswer)),
});

const Fault = v.nullable(StoredErrorAnswer);

const ProgressAnswer: Answer<Progress> = v.looseObject({
  done: v.exactOptional(v.number()),
  total: v.exactOptional(v.number()),
  message: v.exactOptional(Text),
});

const CALL = {
  id: Id,
  task_id: Id,
  task_step_id: Id,
  idempotency_key: Text,
  tool_name: Text,
  status: v.picklist(["RUNNING", "COMPLETED", "FAILED"] satisfies ToolCallStatus[]),
  retry_count: Whole,
  progress: v.nullable(ProgressAnswer),
  last_error: TextOrNull,
  started_at: Time,
  finished_at: TimeOrNull,
  error_message: TextOrNull,
  error: Fault,
  created_at: Time,
};

export const CallSummaryAnswer: Answer<StepSummary["tool_calls"][number]> = v.looseObject(CALL);

export const CallAnswer: Answer<ToolCall> = v.looseObject({
  ...CALL,
  request_payload: Payload,
  response_payload: Payload,
});

const STEP = {
  id: Id,
  task_id: Id,
  step_index: Whole,
  step_name: Text,
  status: v.picklist(Object.keys(NEXT_STEP) as StepStatus[]),
  error_message: TextOrNull,
  error: Fault,
  doubt: TextOrNull,
  child_task_id: v.exactOptional(Id),
  created_at: Time,
  updated_at: Time,
};

export const StepSummaryAnswer: Answer<StepSummary> = v.looseObject({
  ...STEP,
  tool_calls: v.array(CallSummaryAnswer),
});

export const StepAnswer: Answer<TaskStep> = v.looseObject({
  ...STEP,
  input_payload: Payload,
  output_payload: Payload,
  tool_calls: v.array(CallAnswer),
});

export const WaitingAnswer: Answer<Waiting> = v.looseObject({
  kind: word(WAIT_KINDS),
  name: TextOrNull,
  until: TimeOrNull,
  task_id: IdOrNull,
  reason: v.exactOptional(TextOrNull),
  before: v.exactOptional(WholeOrNull),
});

const LeftUndoneAnswer: Answer<LeftUndone> = v.looseObject({
  what: word(["given_up", "child", "ran"]),
  step_index: Whole,
  step_name: Text,
  task_id: IdOrNull,
});

const TASK = {
  id: Id,
  status: TaskStatusWord,
  flow_name: Text,
  flow_file: TextOrNull,
  current_step: Whole,
  error_message: TextOrNull,
  error: Fault,
  lease_owner: TextOrNull,
  parked_reason: TextOrNull,
  waiting_for: v.array(WaitingAnswer),
  unique_key: TextOrNull,
  expires_at: TimeOrNull,
  cancel_reason: TextOrNull,
  left_undone: v.nullable(v.array(LeftUndoneAnswer)),
  parent_task_id: IdOrNull,
  forked_from: v.nullable(v.looseObject({ task_id: Id, step: Whole })),
  tags: v.record(Text, Text),
  schedule: TextOrNull,
  traceparent: TextOrNull,
  priority: Whole,
  due_at: TimeOrNull,
  recorded_bytes: Whole,
  created_at: Time,
  updated_at: Time,
  finished_at: TimeOrNull,
  step_count: v.exactOptional(Whole),
};

export const TaskAnswer: Answer<Task> = v.looseObject({
  ...TASK,
  input_payload: Payload,
  output_payload: Payload,
  steps: v.array(StepAnswer),
  tool_calls: v.array(CallAnswer),
});

export const SummaryAnswer: Answer<TaskSummary> = v.looseObject({ ...TASK, steps: v.array(StepSummaryAnswer) });

/** What stands in a list for a task whose record cannot be read. */
export const DamagedAnswer: Answer<DamagedTask> = v.looseObject({ id: Id, created_at: Time, damage: Text });

export const TasksAnswer: Answer<readonly ListedTask[]> = v.array(v.union([TaskAnswer, DamagedAnswer]));

export const SummariesAnswer: Answer<readonly ListedSummary[]> = v.array(v.union([SummaryAnswer, DamagedAnswer]));

export const BriefAnswer: Answer<TaskBrief> = v.looseObject({
  id: Id,
  status: TaskStatusWord,
  flow_name: Text,
  parked_reason: TextOrNull,
  created_at: Time,
});

export const ForkAnswer: Answer<ForkPreview> = v.looseObject({
  id: Id,
  flow_name: Text,
  forked_from: v.looseObject({ task_id: Id, step: Whole }),
  shared_steps: Whole,
  effects: v.array(
    v.looseObject({
      step_index: Whole,
      step_name: Text,
      target: TextOrNull,
      kind: v.picklist(["tool", "child"]),
      execution: v.nullable(word(["pure", "at-least-once", "at-most-once"])),
      idempotency_key: Text,
    }),
  ),
});

export const FoundAnswer: Answer<FoundTasks> = v.looseObject({ tasks: v.array(BriefAnswer), more: v.boolean() });

export const CountsAnswer: Answer<TaskCounts> = v.looseObject({
  total: Whole,
  complete: v.boolean(),
  counts: v.array(v.looseObject({ flow_name: Text, status: TaskStatusWord, count: Whole })),
});

const JsonSchema = v.record(Text, Payload);

export const FlowAnswer: Answer<FlowDescription> = v.looseObject({
  name: Text,
  description: Text,
  form: v.picklist(["plan", "run"]),
  file: TextOrNull,
  concurrency: WholeOrNull,
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
      every_ms: WholeOrNull,
      time_zone: Text,
      next_at: TimeOrNull,
      paused_at: TimeOrNull,
    }),
  ),
  pauses: v.array(PauseAnswer),
  input_schema: JsonSchema,
  signals: v.record(Text, JsonSchema),
});

export const FlowsAnswer: Answer<readonly FlowDescription[]> = v.array(FlowAnswer);

export const WorkerAnswer: Answer<Worker> = v.looseObject({
  id: Text,
  name: Text,
  state: v.picklist(["alive", "dead"] satisfies Worker["state"][]),
  concurrency: Whole,
  flows: v.array(Text),
  codes: v.record(Text, Text),
  tasks: Whole,
  started_at: Time,
  lease_until: Time,
  damage: v.exactOptional(Text),
});

export const WorkersAnswer: Answer<readonly Worker[]> = v.array(WorkerAnswer);

const AttributesAnswer = v.array(
  v.looseObject({
    key: Text,
    value: v.looseObject({ stringValue: v.exactOptional(Text), intValue: v.exactOptional(Text) }),
  }),
);

const SpanAnswer: Answer<Span> = v.looseObject({
  traceId: Text,
  spanId: Text,
  parentSpanId: v.exactOptional(Text),
  name: Text,
  kind: Whole,
  startTimeUnixNano: Text,
  endTimeUnixNano: Text,
  attributes: AttributesAnswer,
  links: v.exactOptional(v.array(v.looseObject({ traceId: Text, spanId: Text }))),
  status: v.looseObject({ code: v.exactOptional(Whole), message: v.exactOptional(Text) }),
});

export const TraceAnswer: Answer<Trace> = v.looseObject({
  resourceSpans: v.array(
    v.looseObject({
      resource: v.looseObject({ attributes: AttributesAnswer }),
      scopeSpans: v.array(
        v.looseObject({
          scope: v.looseObject({ name: Text, version: v.exactOptional(Text) }),
          spans: v.array(SpanAnswer),
        }),
      ),
    }),
  ),
});

/** A problem (RFC 9457) as our servers write it. */
export const ProblemAnswer: Answer<{
  code: ErrorCode;
  detail: string;
  type: string;
  title: string;
  status: number;
  errors?: readonly Violation[];
}> = v.looseObject({
  type: Text,
  title: Text,
  status: Whole,
  detail: Text,
  code: word(Object.keys(ERRORS) as ErrorCode[]),
  errors: v.exactOptional(v.array(ViolationAnswer)),
});

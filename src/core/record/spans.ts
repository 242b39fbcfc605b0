// Spans of what is recorded. A trace is a task: its trace id is the task's id, or that of its traceparent, and the ids of its
// spans follow from those of its steps and calls. So whoever tells of the same thing again, from wherever, tells of the same
// span.
//
// TE1. A span is told of what is durable and over, by the process that has written that, after the commit: the task with
//      its end, an attempt of a tool and its step with the end of the call, a wait when its outcome is given to the flow or
//      when it is cancelled. A replay writes nothing, so it tells of nothing.

import { isMarkedSampled, traceOf } from "./trace-context.ts";
import { endOf, spanIdOf } from "./trace-ids.ts";
import { readOrigin } from "./origin.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "./record.ts";

/** What is known of a span. */
export interface SpanFacts {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Why it failed, as it is stored; null: it did not. */
  readonly error: string | null;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
}

/** Which tasks have spans that are sent. */
export interface Sampling {
  /** The share of them, 0 to 1. */
  readonly ratio: number;
  /** Of a task with a traceparent whoever made that has decided. */
  readonly isParentBased: boolean;
}

type Traced = Pick<TaskRow, "id" | "traceparent">;

/** A trace has all of its spans or none: by the random bits at the end of its id, of which 52 are a number. */
export function isSampled(task: Traced, { ratio, isParentBased }: Sampling): boolean {
  const marked = isParentBased ? isMarkedSampled(task.traceparent) : null;
  if (marked !== null || ratio >= 1) return marked ?? true;
  return Number.parseInt(traceOf(task).traceId.slice(-13), 16) < ratio * 2 ** 52;
}

/** How many spans `spansOfChange` would give, at little cost. */
export function countSpans(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): number {
  let count = task.finished_at === null ? 0 : 1;
  for (const { finished_at } of calls) if (finished_at !== null) count += 2;
  for (const step of steps) if (isWaitOver(step)) count += 1;
  return count;
}

function isWaitOver({ kind, observed_at, status }: StepRow): boolean {
  return kind !== "tool" && (observed_at !== null || status === "CANCELLED");
}

/** Of all that this change of a task has brought to an end (TE1). */
export function spansOfChange(task: TaskRow, calls: readonly ToolCallRow[], steps: readonly StepRow[]): SpanFacts[] {
  const spans: SpanFacts[] = [];
  const { traceId } = traceOf(task);
  for (const call of calls) spans.push(...spansOfCall(call, traceId));
  for (const step of steps) {
    if (isWaitOver(step)) spans.push(spanOfWait(step, traceId));
  }
  if (task.finished_at !== null) spans.push(spanOfTask(task, task.finished_at));
  return spans;
}

/** Of a task as it is recorded, the root first. What a fork shares with another task was told of that one. */
export function spansOfRecord(record: TaskRecord): readonly SpanFacts[] {
  const work = spansInSlices(record);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** So many steps or calls are looked at between two yields. */
const SLICE = 500;

/** The same of a task that may be large: it yields now and then. */
export function* spansInSlices({ task, calls, steps }: TaskRecord): Generator<undefined, readonly SpanFacts[]> {
  const from = readOrigin(task.origin)?.step ?? 0;
  const isShared = ({ step_index, outcome_seq, attempt_epoch, status, updated_at }: StepRow): boolean =>
    step_index < from &&
    attempt_epoch === 0 &&
    (outcome_seq !== null || (status === "CANCELLED" && updated_at <= task.created_at));
  const shared = new Set(from === 0 ? [] : steps.filter(isShared).map(({ id }) => id));
  const spans: SpanFacts[] = [...spansOfChange(task, [], [])];
  const open = { ...task, finished_at: null };
  for (let start = 0; start < Math.max(calls.length, steps.length); start += SLICE) {
    const ownCalls = calls
      .slice(start, start + SLICE)
      .filter((call) => !shared.has(call.task_step_id) || call.attempt_epoch > 0);
    const ownSteps = steps.slice(start, start + SLICE).filter(({ id }) => !shared.has(id));
    spans.push(...spansOfChange(open, ownCalls, ownSteps));
    yield;
  }
  return spans.toSorted((a, b) => a.start - b.start || b.end - a.end);
}

function spanOfTask(task: TaskRow, end: number): SpanFacts {
  const { id, flow_name, status, parent_task_id, parent_step_id, error, traceparent } = task;
  const { traceId, parentSpanId } = traceOf(task);
  return {
    traceId,
    spanId: endOf(id),
    parentSpanId,
    name: flow_name,
    start: task.created_at,
    end,
    error: status === "FAILED" ? error : null,
    attributes: { "taskonaut.task.id": id, "taskonaut.flow": flow_name, "taskonaut.status": status },
    // in a trace of somebody else it is below the step of its parent; a parent without one has its own trace
    link:
      parent_task_id === null || parent_step_id === null || traceparent !== null
        ? null
        : { traceId: traceOf({ id: parent_task_id, traceparent }).traceId, spanId: endOf(parent_step_id) },
  };
}

/** The step, and within it the attempt that ended it; of attempts before the record tells their number alone. */
function spansOfCall(call: ToolCallRow, traceId: string): readonly SpanFacts[] {
  const { task_id, task_step_id, tool_name, finished_at, attempt_epoch, retry_count } = call;
  if (finished_at === null) return [];
  const step = {
    traceId,
    spanId: spanIdOf(task_step_id, attempt_epoch, "step"),
    parentSpanId: endOf(task_id),
    name: tool_name,
    // a call that was opened again keeps the time of its first beginning
    start: attempt_epoch === 0 ? call.created_at : call.started_at,
    end: finished_at,
    error: call.error,
    attributes: {
      "taskonaut.step.id": task_step_id,
      "taskonaut.step.kind": "tool",
      "taskonaut.tool": tool_name,
      "taskonaut.attempts": retry_count + 1,
    },
    link: null,
  };
  const attempt = {
    ...step,
    spanId: spanIdOf(task_step_id, attempt_epoch, "attempt"),
    parentSpanId: step.spanId,
    name: `${tool_name} attempt ${retry_count + 1}`,
    start: call.started_at,
    attributes: { "taskonaut.tool": tool_name, "taskonaut.attempt": retry_count + 1 },
  };
  return [step, attempt];
}

const WAITS = { sleep: "sleep", signal: "wait for signal", child: "run child" } as const;

function spanOfWait(step: StepRow, traceId: string): SpanFacts {
  const { id, task_id, kind, target, status, step_name, created_at, observed_at, updated_at, attempt_epoch } = step;
  const what = kind === "tool" ? kind : WAITS[kind];
  return {
    traceId,
    spanId: spanIdOf(id, attempt_epoch, "step"),
    parentSpanId: endOf(task_id),
    name: target === null ? what : `${what} ${target}`,
    start: created_at,
    end: Math.max(created_at, observed_at ?? updated_at),
    error: step.error,
    attributes: {
      "taskonaut.step.id": id,
      "taskonaut.step.kind": kind,
      "taskonaut.step.name": step_name,
      "taskonaut.status": status,
    },
    link: null,
  };
}

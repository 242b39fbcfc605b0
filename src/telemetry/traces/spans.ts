// Spans of what is recorded. A trace is a task: its trace id is the task's id, and the ids of its spans follow from those of
// its steps and calls. So whoever tells of the same thing again, from wherever, tells of the same span.
//
// TE1. A span is told of what is durable and over, by the process that has written that, after the commit: the task with
//      its end, an attempt of a tool and its step with the end of the call, a wait when its outcome is given to the flow or
//      when it is cancelled. A replay writes nothing, so it tells of nothing.

import { endOf, spanIdOf, traceIdOf } from "../../core/record/trace-ids.ts";
import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../core/record/record.ts";

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

/** By the random bits at the end of the task's id: 52 of them are a number. */
export function isSampled(taskId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(taskId.slice(-14).replace("-", "").slice(-13), 16) < ratio * 2 ** 52;
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
  for (const call of calls) spans.push(...spansOfCall(call));
  for (const step of steps) {
    if (isWaitOver(step)) spans.push(spanOfWait(step));
  }
  if (task.finished_at !== null) spans.push(spanOfTask(task, task.finished_at));
  return spans;
}

/** Of a task as it is recorded. */
export function spansOfRecord({ task, calls, steps }: TaskRecord): readonly SpanFacts[] {
  return spansOfChange(task, calls, steps);
}

function spanOfTask(task: TaskRow, end: number): SpanFacts {
  const { id, flow_name, status, parent_task_id, parent_step_id, error } = task;
  return {
    traceId: traceIdOf(id),
    spanId: endOf(id),
    parentSpanId: null,
    name: flow_name,
    start: task.created_at,
    end,
    error: status === "FAILED" ? error : null,
    attributes: { "taskonaut.task.id": id, "taskonaut.flow": flow_name, "taskonaut.status": status },
    link:
      parent_task_id === null || parent_step_id === null
        ? null
        : { traceId: traceIdOf(parent_task_id), spanId: endOf(parent_step_id) },
  };
}

/** The step, and within it the attempt that ended it; of attempts before the record tells their number alone. */
function spansOfCall(call: ToolCallRow): readonly SpanFacts[] {
  const { task_id, task_step_id, tool_name, finished_at, attempt_epoch, retry_count } = call;
  if (finished_at === null) return [];
  const step = {
    traceId: traceIdOf(task_id),
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

function spanOfWait(step: StepRow): SpanFacts {
  const { id, task_id, kind, target, status, step_name, created_at, observed_at, updated_at, attempt_epoch } = step;
  const what = kind === "tool" ? kind : WAITS[kind];
  return {
    traceId: traceIdOf(task_id),
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

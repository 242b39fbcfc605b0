// Finds the next event for a task that waits: a signal, the end of a child, a cancel, the decision of a doubt, or the end
// of a time. Finding it is pure; the driver reads the inbox and the clock.
//
// N1. The flow is told events in the order of the store's clock, whenever the driver looks: a task has the same result
//     whether a worker was there all the time or came a day later. At the same time, an entry in the inbox comes before
//     a timeout.
// N2. Events that came after a cancel are told after it.

import type { InboxRow, JsonText, StepRow } from "../../core/record/record.ts";
import type { WaitKind } from "../../core/record/waits.ts";
import { toolOfLine } from "../../store/store.ts";
import { isStepOpen } from "../../core/record/status.ts";

export type WaitOutcome =
  | { readonly status: "COMPLETED"; readonly output_payload: JsonText }
  | { readonly status: "FAILED"; readonly error: JsonText };

interface Found {
  /**
   * The next outcome to record. Only one at a time: when the flow hears of it, it may give up another wait, which then
   * takes no signal with it. Without an outcome: the step's tool is to be called again.
   */
  readonly event: { readonly step: StepRow; readonly outcome: WaitOutcome | undefined } | undefined;
  /** `seq` of the inbox rows that it consumes. */
  readonly consumed: readonly number[];
  /** `seq` of the cancels in the inbox; empty: nobody has cancelled the task. */
  readonly cancels: readonly number[];
}

/** Whether an outsider or the clock settles this open step, or starts it again. */
export function isWait({ kind, doubt, due_at }: StepRow): boolean {
  return kind !== "tool" || doubt !== null || due_at !== null;
}

/** What such a waiting step waits for. */
export function waitKindOf({ kind, doubt, limited_by }: StepRow): WaitKind {
  if (limited_by !== null) return toolOfLine(limited_by) === undefined ? "limit" : "pause";
  return kind === "tool" ? (doubt === null ? "retry" : "doubt") : WAITS[kind];
}

const WAITS = { sleep: "time", signal: "signal", child: "child" } as const;

/**
 * `open` are the open steps, by step_index; `inbox` is in order of arrival; `now` is store time. One wait consumes one
 * signal. `isCancelled`: the flow has heard of its cancel, and a further one changes nothing.
 */
export function findEvent(
  open: readonly StepRow[],
  inbox: readonly InboxRow[],
  now: number,
  isCancelled = false,
): Found {
  const waits = open.filter((step) => isStepOpen(step.status) && isWait(step));
  const cancels = inbox.filter((row) => row.kind === "cancel");
  const found = { cancels: cancels.map((row) => row.seq) };
  const [cancel] = isCancelled ? [] : cancels;
  const due = firstDue(waits, cancel ? Math.min(now, cancel.created_at) : now);
  const consumed: number[] = [];
  for (const row of inbox) {
    if (row === cancel) break;
    const step = waits.find((wait) => isFor(row, wait));
    if (step && due && due.at < row.created_at) break;
    if (step) return { ...found, event: { step, outcome: outcomeOfRow(row) }, consumed: [...consumed, row.seq] };
    if (isMoot(row, open, isCancelled)) consumed.push(row.seq);
  }
  return { ...found, event: due && { step: due.step, outcome: outcomeOfTime(due.step) }, consumed };
}

/** Whether one of the open steps waits for it. */
export function isForAny(row: InboxRow, open: readonly StepRow[]): boolean {
  return open.some((step) => isWait(step) && isFor(row, step));
}

/** Of the waits that are over by `now`, the one that ended first. */
function firstDue(waits: readonly StepRow[], now: number): { readonly step: StepRow; readonly at: number } | undefined {
  let first: { readonly step: StepRow; readonly at: number } | undefined;
  for (const step of waits) {
    const { doubt, due_at: at } = step;
    if (doubt === null && at !== null && at <= now && (first === undefined || at < first.at)) first = { step, at };
  }
  return first;
}

function isFor({ kind, step_id, name, attempt_epoch }: InboxRow, wait: StepRow): boolean {
  switch (kind) {
    case "child":
      return wait.id === step_id;
    case "ticket":
      return wait.id === step_id && wait.limited_by !== null;
    case "resolve":
      return wait.id === step_id && wait.doubt !== null && wait.attempt_epoch === attempt_epoch;
    case "signal":
      return wait.kind === "signal" && wait.target === name;
    case "cancel":
      return false;
  }
}

/** Nobody waits for it any more. A decision about a step that is about to be in doubt is kept until it is. */
function isMoot({ kind, step_id, attempt_epoch }: InboxRow, open: readonly StepRow[], isCancelled: boolean): boolean {
  switch (kind) {
    case "signal":
      return false;
    case "child":
    case "ticket":
      return true;
    case "cancel":
      return isCancelled;
    case "resolve":
      return !open.some((step) => step.id === step_id && step.attempt_epoch === attempt_epoch);
  }
}

function outcomeOfRow({ kind, payload, error }: InboxRow): WaitOutcome | undefined {
  if (error !== null) return { status: "FAILED", error };
  if (kind === "ticket" || (kind === "resolve" && payload === null)) return undefined;
  return { status: "COMPLETED", output_payload: payload ?? "null" };
}

function outcomeOfTime(step: StepRow): WaitOutcome | undefined {
  switch (step.kind) {
    case "sleep":
      return { status: "COMPLETED", output_payload: "null" };
    case "signal":
      return { status: "FAILED", error: timeoutOf(step) };
    case "tool":
    case "child":
      return undefined;
  }
}

function timeoutOf(step: StepRow): JsonText {
  return JSON.stringify({ name: "TimeoutError", message: `No signal ${step.target} came in time.` });
}

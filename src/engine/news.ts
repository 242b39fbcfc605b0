// What came from outside while a task waited: signals, ends of children, a cancel, and time itself. Deciding is pure;
// reading the inbox and the clock is the driver's.

import type { InboxRow, JsonText, StepRow } from "../core/record.ts";

export type WaitOutcome =
  | { readonly status: "COMPLETED"; readonly output_payload: JsonText }
  | { readonly status: "FAILED"; readonly error: JsonText };

export interface News {
  /**
   * What is to be recorded next. One at a time: what the flow decides when it hears of it may give up another wait,
   * which then takes no signal with it.
   */
  readonly outcome: { readonly step: StepRow; readonly outcome: WaitOutcome } | undefined;
  /** `seq` of inbox rows that are dealt with by it. */
  readonly consumed: readonly number[];
  /** `seq` of the cancels in the inbox; empty: nobody has cancelled the task. */
  readonly cancels: readonly number[];
}

/**
 * `waits` are the open steps of kind sleep, signal and child, by step_index; `inbox` is in order of arrival; `now` is
 * store time. One wait consumes one signal. A signal that is there beats a timeout that has passed.
 */
export function findNews(waits: readonly StepRow[], inbox: readonly InboxRow[], now: number): News {
  const cancels = inbox.filter((row) => row.kind === "cancel").map((row) => row.seq);
  const consumed: number[] = [];
  for (const row of inbox) {
    const step = waits.find((wait) => isFor(row, wait));
    if (step) return { outcome: { step, outcome: outcomeOfRow(row) }, consumed: [...consumed, row.seq], cancels };
    if (row.kind === "child") consumed.push(row.seq); // nobody waits for it any more
  }
  const [due] = waits
    .filter((step) => step.due_at !== null && step.due_at <= now)
    .toSorted((a, b) => (a.due_at ?? 0) - (b.due_at ?? 0) || a.step_index - b.step_index);
  const outcome = due && { step: due, outcome: due.kind === "sleep" ? SLEPT : timeoutOf(due) };
  return { outcome, consumed, cancels };
}

const SLEPT: WaitOutcome = { status: "COMPLETED", output_payload: "null" };

function isFor({ kind, step_id, name }: InboxRow, wait: StepRow): boolean {
  if (kind === "child") return wait.id === step_id;
  return kind === "signal" && wait.kind === "signal" && wait.target === name;
}

function outcomeOfRow({ payload, error }: InboxRow): WaitOutcome {
  return error === null ? { status: "COMPLETED", output_payload: payload ?? "null" } : { status: "FAILED", error };
}

function timeoutOf(step: StepRow): WaitOutcome {
  const error = { name: "TimeoutError", message: `No signal ${step.target} came in time.` };
  return { status: "FAILED", error: JSON.stringify(error) };
}

// What a task waits for, in words.

import { isStepOpen, isTerminal } from "../record/status.ts";
import { roughlyAhead } from "../times.ts";
import type { StepSummary, Task, TaskSummary, Timestamp, Waiting } from "./task.ts";

/** How many waits are listed one by one. */
const WAITS_SHOWN_MAX = 8;

/** The steps in doubt: nobody knows whether their effect happened, and it still matters. */
export function stepsInDoubt<Step extends StepSummary>({
  status,
  steps,
}: Pick<Task, "status"> & { readonly steps: readonly Step[] }): readonly Step[] {
  return isTerminal(status) ? [] : steps.filter((step) => step.doubt !== null && isStepOpen(step.status));
}

/** Whether the task is in the queue, where a worker takes it, now or when it is due. */
export function isQueued({ status, due_at, lease_owner, waiting_for }: TaskSummary): boolean {
  return due_at !== null && lease_owner === null && waiting_for.length === 0 && !isTerminal(status);
}

/** A phrase for each: `for signal approved, until 2026-11-25 03:39:25.130Z`. Texts are as the task has them. */
export function describeWaits(task: TaskSummary, now: number): readonly string[] {
  const { waiting_for } = task;
  // both are in the order of the steps; names may repeat
  const doubts = stepsInDoubt(task).values();
  const phrases = waiting_for
    .slice(0, WAITS_SHOWN_MAX)
    .map((wait) => describeWait(wait, now, wait.kind === "doubt" ? doubts.next().value : undefined));
  const more = waiting_for.length - phrases.length;
  return more > 0 ? [...phrases, `and for ${more} more`] : phrases;
}

/** `doubt` is the step that is in doubt, where it is one that is waited for. */
function describeWait(wait: Waiting, now: number, doubt: StepSummary | undefined): string {
  const { kind, name, until, task_id, reason } = wait;
  const end = until === null ? [] : [`until ${toWords(until)}`];
  switch (kind) {
    case "time":
      return end[0] ?? "for time to pass";
    case "signal":
      return [`for signal ${name}`, ...end].join(", ");
    case "child":
      return [`for child ${task_id} (${name})`, ...end].join(", ");
    case "retry":
      return [`for the next attempt of ${name}`, ...end].join(", ");
    case "doubt":
      return `for somebody who settles step ${doubt ? `${doubt.step_index} ` : ""}${name}, which is in doubt`;
    case "limit":
      return describeLimit(wait, now);
    case "pause":
      return `for the end of the pause of ${name ?? "everything"}${reason ? `: ${reason}` : ""}`;
    default:
      // of a server that knows more kinds than this version
      return [`for ${String(kind)}`, ...end].join(", ");
  }
}

/** `blocked by limit "openai" (100 in 1m), 2,311 before it, about 23 min`. */
function describeLimit({ name, reason, before, until }: Waiting, now: number): string {
  const ahead = until === null ? Number.NaN : Date.parse(until) - now;
  return [
    `blocked by limit ${JSON.stringify(name)}${reason ? ` (${reason})` : ""}`,
    ...(typeof before === "number" ? [`${before.toLocaleString("en-US")} before it`] : []),
    ...(ahead > 0 ? [`about ${roughlyAhead(ahead)}`] : []),
  ].join(", ");
}

/** What a cancel by force left behind, a phrase for each: `step 2 refund: given up`. Texts are as the task has them. */
export function describeLeftUndone({ left_undone }: Pick<Task, "left_undone">): readonly string[] {
  const all = left_undone ?? [];
  const urgent = all.toSorted((a, b) => Number(a.what === "ran") - Number(b.what === "ran"));
  const phrases = urgent.slice(0, WAITS_SHOWN_MAX).map(({ what, step_index, step_name, task_id }) => {
    const step = `step ${step_index} ${step_name}`;
    switch (what) {
      case "given_up":
        return `${step}: given up`;
      case "child":
        return `${step}: child ${task_id} was told to cancel, look whether it has`;
      case "ran":
        return `${step}: its tool ran, and the flow was not asked whether to undo it`;
      default:
        // of a server that knows more than this version
        return `${step}: ${String(what)}`;
    }
  });
  const more = all.length - phrases.length;
  return more > 0 ? [...phrases, `and ${more} more`] : phrases;
}

function toWords(timestamp: Timestamp): string {
  return timestamp.replace("T", " ");
}

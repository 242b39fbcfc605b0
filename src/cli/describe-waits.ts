// What a task waits for, and what a person can do about a task that has not ended, in words and as commands to copy.

import { isStepOpen, isTerminal } from "../core/record/status.ts";
import type { Task, TaskStep, Timestamp, Waiting } from "../core/api/task.ts";

/** How many waits are told of one by one. */
const WAITS_SHOWN_MAX = 8;

/** The steps of which nobody knows whether their effect happened, while it still matters. */
export function stepsInDoubt({ status, steps }: Task): readonly TaskStep[] {
  return isTerminal(status) ? [] : steps.filter((step) => step.doubt !== null && isStepOpen(step.status));
}

/** Whether the task is in the queue, where a worker takes it, now or when it is due. */
export function isQueued({ status, due_at, lease_owner, waiting_for }: Task): boolean {
  return due_at !== null && lease_owner === null && waiting_for.length === 0 && !isTerminal(status);
}

/** A phrase for each: `for signal approved, until 2026-11-25 03:39:25.130Z`. Texts are as the task has them. */
export function describeWaits(task: Task): readonly string[] {
  const { waiting_for } = task;
  // both are in the order of the steps; names may repeat
  const doubts = stepsInDoubt(task).values();
  const phrases = waiting_for
    .slice(0, WAITS_SHOWN_MAX)
    .map((wait) => describeWait(wait, wait.kind === "doubt" ? doubts.next().value : undefined));
  const more = waiting_for.length - phrases.length;
  return more > 0 ? [...phrases, `and for ${more} more`] : phrases;
}

/** `doubt` is the step that is in doubt, where it is one that is waited for. */
function describeWait({ kind, name, until, task_id }: Waiting, doubt: TaskStep | undefined): string {
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
    default:
      // of a server that knows more kinds than this version
      return [`for ${String(kind)}`, ...end].join(", ");
  }
}

/** What a cancel by force left behind, a phrase for each: `step 2 refund: given up`. Texts are as the task has them. */
export function describeLeftUndone({ left_undone }: Task): readonly string[] {
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

/** The commands that take the task on from where it stands; none where it has ended for good, or is driven right now. */
export function suggestCommands(task: Task): readonly string[] {
  const id = toWord(task.id);
  const doubts = stepsInDoubt(task);
  if (doubts.length > 0) return suggestResolutions(id, doubts);
  if (task.parked_reason !== null) return [`taskonaut resume-task ${id}`, `taskonaut cancel-task ${id} --force`];
  if (task.status === "FAILED") return hasFailedTool(task) ? [`taskonaut retry-task ${id}`] : [];
  if (isTerminal(task.status) || task.lease_owner !== null) return [];
  if (isQueued(task)) return ["taskonaut work"];
  if (task.waiting_for.length === 0) return [`taskonaut run-task ${id}`];
  const signals = new Set(task.waiting_for.flatMap(({ kind, name }) => (kind === "signal" ? [name ?? ""] : [])));
  if (signals.size === 0) return [`taskonaut run-task ${id} --wait`];
  return [...signals]
    .slice(0, WAITS_SHOWN_MAX)
    .map((name) => `taskonaut signal-task ${id} ${toWord(name)} --payload '…'`);
}

/** All that can be known of an effect: that it happened, that it did not, or that it will not. */
function suggestResolutions(id: string, doubts: readonly TaskStep[]): readonly string[] {
  return doubts
    .flatMap(({ step_index }) => {
      const command = doubts.length === 1 ? `taskonaut resolve ${id}` : `taskonaut resolve ${id} --step ${step_index}`;
      return [`${command} --output '…'`, `${command} --retry`, `${command} --fail`];
    })
    .slice(0, WAITS_SHOWN_MAX);
}

/** Whether there may be a step that `retry-task` can open again. */
function hasFailedTool({ steps }: Task): boolean {
  return steps.some((step) => step.status === "FAILED" && step.tool_calls.length > 0);
}

/** What is copied into a shell must be one word there, whoever made it up. */
function toWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : "…";
}

function toWords(timestamp: Timestamp): string {
  return timestamp.replace("T", " ");
}

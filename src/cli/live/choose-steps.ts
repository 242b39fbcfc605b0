// Which steps of a running task are shown where there is not room for all of them.

import type { StepState, StepView } from "./step-view.ts";
import type { RunModel } from "./run-model.ts";

export interface Entry {
  readonly step: StepView;
  /** Whose step it is. */
  readonly taskId: string;
  /** 0 for the task itself, 1 for its children. */
  readonly depth: number;
}

/** Deeper ones are shown by themselves (`get-task <id> --watch`). */
const DEPTH_MAX = 4;

/** The steps of the task in their order, and after each child that has not ended those of its own task. */
export function entriesOf(model: RunModel, id: string, depth = 0): readonly Entry[] {
  const task = model.task(id);
  if (!task) return [];
  const entries: Entry[] = [];
  for (const step of [...task.steps.values()].toSorted((a, b) => a.index - b.index)) {
    entries.push({ step, taskId: id, depth });
    if (step.childId !== undefined && isOpen(step.state) && depth < DEPTH_MAX)
      for (const entry of entriesOf(model, step.childId, depth + 1)) entries.push(entry);
  }
  return entries;
}

/** What has to be seen comes first. */
const URGENCY: Readonly<Record<StepState, number>> = {
  doubt: 0,
  running: 1,
  retrying: 1,
  waiting: 2,
  failed: 3,
  completed: 4,
  cancelled: 4,
  planned: 5,
};

/** In their order, at most so many lines of them; `rest` counts the others, and takes one line where there are some. */
export function choose(
  entries: readonly Entry[],
  linesMax: number,
): { readonly shown: readonly Entry[]; readonly rest: string } {
  if (entries.length <= linesMax) return { shown: entries, rest: "" };
  const chosen = new Set(pick(entries, Math.max(linesMax - 1, 0)));
  const shown = entries.filter((entry) => chosen.has(entry));
  return { shown, rest: describeRest(entries.filter((entry) => !chosen.has(entry))) };
}

/** Of the same urgency the first; of those that have ended the last. */
function pick(entries: readonly Entry[], count: number): readonly Entry[] {
  const groups: Entry[][] = [[], [], [], [], [], []];
  for (const entry of entries) groups[URGENCY[entry.step.state]]?.push(entry);
  groups[3]?.reverse();
  groups[4]?.reverse();
  return groups.flat().slice(0, count);
}

/** `… 4,963 more: 120 running, 4,843 completed` */
function describeRest(rest: readonly Entry[]): string {
  const counts = new Map<StepState, number>();
  for (const { step } of rest) counts.set(step.state, (counts.get(step.state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count.toLocaleString("en")} ${WORDS[state]}`);
  return `… ${rest.length.toLocaleString("en")} more: ${parts.join(", ")}`;
}

const WORDS: Readonly<Record<StepState, string>> = {
  planned: "planned",
  running: "running",
  retrying: "to retry",
  waiting: "waiting",
  doubt: "in doubt",
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
};

function isOpen(state: StepState): boolean {
  return state === "running" || state === "retrying" || state === "waiting";
}

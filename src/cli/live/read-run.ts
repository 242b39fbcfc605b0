// Reads tasks that others drive, to be shown.

import type { TaskSummary } from "../../core/api/task.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import type { RunModel } from "./run-model.ts";

export type Reading = Pick<Taskonaut, "getTaskSummary">;

/** Of the tasks below the one that is shown, at each look. */
const CHILDREN_READ_MAX = 8;

/**
 * Reads the task and the open ones below it into the model, unless they are out of date by then. Gives a text that is another
 * one when they have changed. Never throws: who drives a task hears why it cannot be read.
 */
export async function readRun(
  model: RunModel,
  id: string,
  { taskonaut, isOutdated }: { readonly taskonaut: Reading; readonly isOutdated: () => boolean },
): Promise<string> {
  const ids = [id];
  const seen: string[] = [];
  for (let each = ids.shift(); each !== undefined && seen.length <= CHILDREN_READ_MAX; each = ids.shift()) {
    const summary = await taskonaut.getTaskSummary(each).catch(() => undefined);
    if (isOutdated()) break;
    seen.push(summary ? stampOf(summary) : "");
    if (summary) model.read(summary);
    ids.push(...model.openChildren(each));
  }
  return seen.join("\n");
}

/** The open tasks below one that was read. */
export async function readBelow(model: RunModel, id: string, taskonaut: Reading): Promise<void> {
  for (const child of model.openChildren(id).slice(0, CHILDREN_READ_MAX))
    await readRun(model, child, { taskonaut, isOutdated: () => false });
}

function stampOf({ id, updated_at, parked_reason, steps }: TaskSummary): string {
  return JSON.stringify([id, updated_at, parked_reason, steps.map(({ status }) => status)]);
}

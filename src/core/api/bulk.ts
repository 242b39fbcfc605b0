// Operations on many tasks. A preview says how many tasks an operation would act on. The started operation is exactly the
// one of the preview. It is itself a task, of the flow BULK_FLOW: it survives crashes, is in the lists of tasks, and can be
// cancelled.

import type { PurgePage, PurgeRequest } from "./purge.ts";
import type { CreatedTask } from "./create-task.ts";
import type { Task, TaskBrief } from "./task.ts";
import type { TaskFilter } from "./task-filter.ts";

export const BULK_FLOW = "taskonaut.bulk";

export const BULK_ACTIONS = ["cancel", "retry", "resume", "signal", "delete"] as const;

export type BulkAction = (typeof BULK_ACTIONS)[number];

/**
 * `cancel` and `signal` act on tasks that have not ended, `retry` on FAILED tasks, `resume` on parked tasks, and `delete` on
 * tasks that have ended. Other tasks do not match.
 */
export interface BulkRequest {
  readonly action: BulkAction;
  readonly filter: TaskFilter;
  /** With the action `signal`. */
  readonly signal?: { readonly name: string; readonly payload: unknown };
  /** With the action `cancel`: the tasks end at once, without the clean-up of their flows. */
  readonly force?: boolean;
}

export interface BulkPreview {
  readonly action: BulkAction;
  /** A cancel by force. */
  readonly force: boolean;
  /** How many tasks match now. */
  readonly tasks: number;
  /** There are more: they were not counted to the end. */
  readonly more: boolean;
  /** The newest of them, five at most. */
  readonly sample: readonly TaskBrief[];
  /** Of exactly this action and filter at this time: a task that is created later does not match. */
  readonly token: string;
}

export interface Bulk {
  /** Throws input_invalid. */
  preview(request: BulkRequest): Promise<BulkPreview>;
  /**
   * The task of the operation, in the queue. The same token gives the same task. Throws input_invalid if the token belongs
   * to another operation.
   */
  start(request: BulkRequest & { readonly token: string }): Promise<CreatedTask>;
  /** Removes tasks whose retention is over, for a short while. Throws input_invalid. */
  purge(request: PurgeRequest): Promise<PurgePage>;
}

/** Tasks that were left as they are, for one reason. */
export interface BulkReason {
  readonly reason: string;
  readonly tasks: number;
  /** The id of one of them. */
  readonly example: string | null;
}

/** The result of an operation so far. After a crash some tasks may be done and not be counted here. */
export interface BulkTotals {
  readonly done: number;
  /** Of these: cancels that take effect when the task's flow has cleaned up. */
  readonly pending: number;
  readonly skipped: readonly BulkReason[];
  readonly failed: readonly BulkReason[];
}

export const NO_TOTALS: BulkTotals = { done: 0, pending: 0, skipped: [], failed: [] };

/** Further reasons are combined into one. */
const REASONS_MAX = 20;

export function addTotals(one: BulkTotals, other: BulkTotals): BulkTotals {
  return {
    done: one.done + other.done,
    pending: one.pending + other.pending,
    skipped: addReasons(one.skipped, other.skipped),
    failed: addReasons(one.failed, other.failed),
  };
}

export function countOf(reasons: readonly BulkReason[]): number {
  return reasons.reduce((sum, { tasks }) => sum + tasks, 0);
}

/** What the task of an operation tells of it. */
export function totalsOf({ steps }: Pick<Task, "steps">): BulkTotals {
  return steps.flatMap(({ output_payload: output }) => readTotals(output)).reduce(addTotals, NO_TOTALS);
}

function addReasons(reasons: readonly BulkReason[], more: readonly BulkReason[]): readonly BulkReason[] {
  const sum = new Map(reasons.map((each) => [each.reason, each]));
  for (const { reason, tasks, example } of more) {
    const key = sum.has(reason) || sum.size < REASONS_MAX ? reason : "other reasons";
    const known = sum.get(key);
    sum.set(key, { reason: key, tasks: (known?.tasks ?? 0) + tasks, example: known?.example ?? example });
  }
  return [...sum.values()];
}

/** Of a step's output, as another version may have written it. */
function readTotals(output: unknown): BulkTotals[] {
  if (typeof output !== "object" || output === null || !("done" in output)) return [];
  const { done, pending, skipped, failed } = output as Partial<BulkTotals>;
  return [{ done: done ?? 0, pending: pending ?? 0, skipped: skipped ?? [], failed: failed ?? [] }];
}

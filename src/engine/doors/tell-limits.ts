// Finds the limit that a task waits for, how many are before it, and about how long it will take. It is looked up only when
// somebody reads a single task, and only if that task may wait for a limit.

import { describeBounds, type Limit } from "../../core/api/limits.ts";
import type { Waiting } from "../../core/api/task.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { isStepOpen, isTerminal } from "../../core/record/status.ts";
import type { LimitName, LimitStore } from "../../store/limit-store.ts";
import { waitKindOf } from "../task/wait-events.ts";
import { toLimit } from "./limits.ts";

interface LineTools {
  readonly limits: Pick<LimitStore, "list" | "placeOfStep" | "placeOfTask">;
  /** Whether the flow has limits, as far as this process knows. */
  readonly isLimited: (flow: string) => boolean;
  /** The store's time, as near as it is known. */
  readonly now: () => number;
}

/** `waiting`: what its record says. */
export async function tellLimits(
  { task, steps }: TaskRecord,
  waiting: readonly Waiting[],
  tools: LineTools,
): Promise<readonly Waiting[]> {
  if (isTerminal(task.status)) return waiting;
  if (waiting.some(({ kind }) => kind === "limit")) {
    const waits = steps
      .filter((step) => isStepOpen(step.status) && step.limited_by !== null && waitKindOf(step) === "limit")
      .values();
    return Promise.all(
      waiting.map(async (wait) => {
        const step = wait.kind === "limit" ? waits.next().value : undefined;
        if (!step || step.limited_by === null) return wait;
        const limit = await find({ kind: "tool", name: step.limited_by }, tools);
        const place = await tools.limits.placeOfStep(task.id, step.id);
        return limit && place ? { ...wait, ...tell(limit, place.before, tools) } : wait;
      }),
    );
  }
  const mayWait = task.limit_key !== null || tools.isLimited(task.flow_name);
  const isDue = task.due_at !== null && task.due_at <= tools.now() && task.lease_owner === null;
  if (!mayWait || !isDue) return waiting;
  const [place, limit] = [
    await tools.limits.placeOfTask(task.id),
    await find({ kind: "flow", name: task.flow_name }, tools),
  ];
  if (!place || !limit || !isFull(limit, place)) return waiting;
  const wait: Waiting = { kind: "limit", name: limit.name, until: null, task_id: null };
  return [...waiting, { ...wait, ...tell(limit, place.before, tools) }];
}

async function find(name: LimitName, { limits }: LineTools): Promise<Limit | undefined> {
  const [row] = await limits.list(name);
  return row && toLimit(row);
}

/** Else it is about to be taken up, or no worker is there. */
function isFull({ max, running, rate_left: left }: Limit, { ofKey }: { readonly ofKey: number }): boolean {
  return (
    left === 0 ||
    (max.running !== null && running >= max.running) ||
    (max.running_per_key !== null && ofKey >= max.running_per_key)
  );
}

/** Where only a rate stands before it, and no keys take turns, it can be reckoned when it will be let through. */
function tell(limit: Limit, before: number, tools: LineTools): Pick<Waiting, "reason" | "before" | "until"> {
  const { max, keyed, rate_left: left, rate_next_at: nextAt } = limit;
  const reason = describeBounds(limit);
  if (max.rate === null || left === null || keyed) return { reason, before, until: null };
  const rounds = Math.floor(Math.max(0, before - left) / max.rate.count);
  const first = nextAt === null ? tools.now() : Date.parse(nextAt);
  return { reason, before, until: new Date(first + rounds * max.rate.per_ms).toISOString() };
}

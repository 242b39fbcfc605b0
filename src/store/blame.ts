// Records that a process has died because of one task, or of one schedule whose firing it planned. After too many such
// deaths in a row the task is parked, or the schedule paused. Nothing else in the process is suspected. The watchdog records it before it kills its own process. If a process
// dies otherwise (it runs out of memory, it crashes), its peers record it, from what the process had noted.

import { DEFAULT_LIMITS } from "../core/limits.ts";

/** What a process works on in one go. `stepId`: empty for the flow's own code. `at`: the place of the flow, or empty. */
export type Culprit =
  | { readonly taskId: string; readonly stepId: string }
  | { readonly schedule: string; readonly at: string }
  | { readonly flow: string; readonly at: string };

/** Work that may kill a process. */
export type DeathCause = Culprit & {
  /** How long it took, as far as it was observed. */
  readonly seconds: number;
};

export type Blame = DeathCause & {
  readonly workerId: string;
  /** Killed by its own watchdog. */
  readonly isKilled: boolean;
};

/** After this many in a row the task is parked. */
export const DEATHS_MAX = DEFAULT_LIMITS.deaths;

/** For a dead worker, from the note in its row. */
export function blameOfDead(workerId: string, cause: string): Blame {
  return { ...(JSON.parse(cause) as DeathCause), workerId, isKilled: false };
}

export interface BlamedStep {
  readonly step_index: number;
  readonly step_name: string;
  /** A step of kind child runs code of the child's flow before the child exists. */
  readonly kind: string;
}

/** An id that no task has. */
const NO_TASK = "00000000-0000-0000-0000-000000000000";

/** Whose deaths are counted: a task's, a schedule's, or nobody's. */
export function blamedOf(blame: Culprit): {
  readonly taskId: string;
  readonly stepId: string;
  readonly schedule: string | null;
} {
  if ("taskId" in blame && blame.taskId !== "") return { ...blame, schedule: null };
  return { taskId: NO_TASK, stepId: "", schedule: "schedule" in blame ? blame.schedule : null };
}

/** Why the task is parked. `step`: undefined if the flow's own code was the cause. */
export function tellBlame(
  { seconds, isKilled }: Pick<Blame, "seconds" | "isKilled">,
  flow: string,
  step: BlamedStep | undefined,
): string {
  const named = step && `step ${step.step_index} (${step.step_name})`;
  const isChild = step?.kind === "child";
  const what = isChild ? `the contract, keys or plan of the child of ${named}` : (named ?? `the code of flow ${flow}`);
  const mend = isChild ? "Fix the child's flow" : step ? "Fix its tool" : "Fix the flow";
  const why = tellDeath({ seconds, isKilled });
  return `The processes that ran ${what} died ${DEATHS_MAX} times in a row while it ran: ${why}. ${mend}, then resume the task with resume-task.`;
}

/** Why the schedule is paused. */
export function tellBlameOfSchedule(
  blame: Blame,
  { name, flow }: { readonly name: string; readonly flow: string },
): string {
  const at = "at" in blame && blame.at !== "" ? ` (at ${blame.at})` : "";
  return `The processes that planned its tasks died ${DEATHS_MAX} times in a row in the contract, keys, tags or plan of flow ${flow}${at}: ${tellDeath(blame)}. Fix the flow, then resume the schedule with schedule resume ${name}.`;
}

function tellDeath({ seconds, isKilled }: Pick<Blame, "seconds" | "isKilled">): string {
  return isKilled
    ? `each was killed, for it held the event loop for ${seconds.toFixed(1)} s in one go`
    : `the last one after ${seconds.toFixed(1)} s or more in one go, of a crash or for want of memory`;
}

// Records that a process has died because of one task. After too many such deaths in a row the task is parked, and the
// other tasks of the process are not suspected. The watchdog records it before it kills its own process. If a process
// dies otherwise (it runs out of memory, it crashes), its peers record it, from what the process had noted.

import { DEFAULT_LIMITS } from "../core/limits.ts";

/** Work that a process does in one go, and that may kill it. */
export interface DeathCause {
  readonly taskId: string;
  /** The name of the running tool; empty: the flow's own code. */
  readonly stepId: string;
  /** How long, as far as it was observed. */
  readonly seconds: number;
}

export interface Blame extends DeathCause {
  readonly workerId: string;
  /** Killed by its own watchdog. */
  readonly isKilled: boolean;
}

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
  const why = isKilled
    ? `each was killed, for it held the event loop for ${seconds.toFixed(1)} s in one go`
    : `the last one after ${seconds.toFixed(1)} s or more in one go, of a crash or for want of memory`;
  return `The processes that ran ${what} died ${DEATHS_MAX} times in a row while it ran: ${why}. ${mend}, then resume the task with resume-task.`;
}

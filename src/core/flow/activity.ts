// What runs in one go right now: a piece of a flow, or what a tool does before it first waits. It is noted before it
// begins, for a watchdog that sees only from outside that it does not end. Module state, as the watch is.

export type Doing = "flow" | "tool";

export interface Activity {
  /** `stepId`: of a tool. */
  begin(doing: Doing, taskId: string, stepId?: string): void;
  end(): void;
}

let activity: Activity | undefined;

export function setActivity(to: Activity): void {
  activity = to;
}

/** Undefined where nobody watches. */
export function currentActivity(): Activity | undefined {
  return activity;
}

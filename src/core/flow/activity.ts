// What runs in one go right now: a piece of a flow, or what a tool does before it first waits. It is noted before it
// begins, for a watchdog that sees only from outside that it does not end. Module state, as the watch is.

export type Doing = "flow" | "tool";

/** For whom it is done; whoever dies of it is put down there. */
interface DoneFor {
  readonly taskId: string;
  readonly stepId?: string;
}

export interface Activity {
  /** `stepId`: of a tool. */
  begin(doing: Doing, taskId: string, stepId?: string): void;
  end(): void;
}

let activity: Activity | undefined;

/** Undefined: nobody watches any more. */
export function setActivity(to: Activity | undefined): void {
  activity = to;
}

/** Whether a piece is noted: what runs within it is part of it. */
let isNoted = false;

/** Notes what `piece` is while it runs, where somebody watches. */
export function during<T>(doing: Doing, { taskId, stepId = "" }: DoneFor, piece: () => T): T {
  if (activity === undefined || isNoted) return piece();
  isNoted = true;
  activity.begin(doing, taskId, stepId);
  try {
    return piece();
  } finally {
    activity.end();
    isNoted = false;
  }
}

// The synchronous piece of user code that runs right now: of a flow, or of a tool before its first wait. It is noted before
// it begins, for a watchdog that can only see from outside that it does not end. Module state, like the watch.

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
  /** A signal asked the process to leave, and was received. */
  hearSignal(): void;
  /** Whether the process listens to signals. */
  listen(isListening: boolean): void;
  /** While this is pending, code may block the event loop with nobody to notice it. */
  readonly watched?: Promise<void> | undefined;
}

let activity: Activity | undefined;

/** Undefined: nobody watches any more. */
export function setActivity(to: Activity | undefined): void {
  activity = to;
  activity?.listen(listeners > 0);
}

/** Resolves once code that blocks the event loop is noticed. Undefined: that is so already, or nobody watches. */
export function whenWatched(): Promise<void> | undefined {
  return activity?.watched;
}

/** Tells whoever watches that the first signal was received. */
export function noteSignal(): void {
  activity?.hearSignal();
}

let listeners = 0;

/**
 * Tells whoever watches that a listener of signals comes or goes. Call it after the listener has come, and before it goes:
 * else its going looks like a signal that ends the process.
 */
export function noteListener(what: "comes" | "goes"): void {
  listeners += what === "comes" ? 1 : -1;
  activity?.listen(listeners > 0);
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

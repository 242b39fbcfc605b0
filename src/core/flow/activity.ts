// The synchronous piece of user code that runs right now: of a flow, or of a tool before its first wait. It is noted before
// it begins, for a watchdog that can only see from outside that it does not end. Module state, like the watch.

export type Doing = "flow" | "tool";

/** For what it is done. If the process dies of it, that is recorded there. */
export type DoneFor =
  /** `stepId`: of a tool, or of a child that does not exist yet. */
  | { readonly taskId: string; readonly stepId?: string }
  /** The schedule whose firing is planned. `at`: the place of its flow. */
  | { readonly schedule: string; readonly at?: string | undefined }
  /** A request to this flow, from somebody who waits for the answer. */
  | { readonly flow: string; readonly at?: string | undefined };

export interface Activity {
  begin(doing: Doing, doneFor: DoneFor): void;
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
export function during<T>(doing: Doing, doneFor: DoneFor, piece: () => T): T {
  if (activity === undefined || isNoted) return piece();
  isNoted = true;
  activity.begin(doing, doneFor);
  try {
    return piece();
  } finally {
    activity.end();
    isNoted = false;
  }
}

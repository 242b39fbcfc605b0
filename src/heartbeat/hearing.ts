// Who receives SIGINT and SIGTERM, decided at each check: the event loop, or nobody, so that they end the process.
//
// HH1. A loop that is stuck for `deafMs` has no time for a signal. From then on, a signal ends the process.
// HH2. At a terminal, two presses of Ctrl-C end the process however long the loop has been stuck: a loop that may be
//      stuck, or that has heard the first, is given one signal more. If it does not take that signal, the process ends.
// HH3. A listener that goes leaves the same mark as a signal that has come. So it is asked after the mark was seen
//      whether somebody listens, and a listener says that it goes before it does.

import type { LoopLimits } from "./messages.ts";
import type { Hearing, SignalActions } from "./signal-actions.ts";

/** Shorter than two presses of Ctrl-C in a row. */
const MAYBE_STUCK_MS = 30;

/** A signal that comes twice, because a script runner passes it on, comes the second time sooner than this. */
const SAME_MS = 100;

export interface LoopSeen {
  readonly stuckMs: number;
  /** Whether it has received a signal, and is about to leave. */
  readonly isLeaving: boolean;
  /** Whether it listens to signals at this moment. */
  readonly isListening: () => boolean;
}

export class HearingWatch {
  #leavingAt: number | undefined;

  constructor(
    private readonly limits: Pick<LoopLimits, "deafMs" | "isAtTerminal">,
    private readonly actions: Pick<SignalActions, "set" | "received">,
    private readonly end: (signal: NodeJS.Signals) => void,
  ) {}

  look(loop: LoopSeen, now: number): void {
    const { stuckMs, isLeaving, isListening } = loop;
    if (isLeaving) this.#leavingAt ??= now;
    const isDeaf = stuckMs >= this.limits.deafMs;
    const untaken = isDeaf ? this.actions.received() : undefined;
    const isWanted = isListening(); // HH3
    this.actions.set(isDeaf ? "plain" : this.#hearing(stuckMs, now), isWanted);
    if (untaken && isWanted) this.end(untaken);
  }

  #hearing(stuckMs: number, now: number): Hearing {
    if (!this.limits.isAtTerminal) return "loop";
    const hasHeardOne = this.#leavingAt !== undefined && now - this.#leavingAt >= SAME_MS;
    return stuckMs >= MAYBE_STUCK_MS || hasHeardOne ? "once" : "loop";
  }
}

// The watchdog of a process without a worker: a command or a server. It uses the thread of the heartbeat, without a
// lease to renew.

import type { Activity, Doing, DoneFor } from "../core/flow/activity.ts";
import type { StoreAddress } from "../store/address.ts";
import type { LineStyle } from "./messages.ts";
import { SharedActivity } from "./shared-activity.ts";
import { ThreadHandle } from "./thread-handle.ts";

export interface WatchdogOptions {
  readonly address: StoreAddress;
  readonly stuckMs: number;
  readonly flowStuckMs: number;
  readonly line: LineStyle;
  /**
   * Whether a person may press Ctrl-C: then the thread starts at once, because the first piece of a flow may never end.
   */
  readonly atTerminal: boolean;
}

/** A command that is done earlier never pays for the thread. */
const START_MS = 250;

/** A loop that is stuck for this long receives signals too late: a person who presses Ctrl-C twice expects an end. */
const DEAF_MS = 1000;
const DEAF_AT_TERMINAL_MS = 200;

const ENTRY = new URL("./thread.ts", import.meta.url);

/**
 * Watches from now on, with a thread. At a terminal the thread starts at once. Elsewhere it starts before the first
 * piece of user code, or after a moment: code that blocks the loop could keep a timer from ever starting it. It does
 * not keep the process alive.
 */
export class LateWatchdog implements Activity {
  readonly #shared = new SharedActivity();
  readonly #timer = setTimeout(() => this.#start(), START_MS);
  readonly #watching = Promise.withResolvers<void>();
  /** At a terminal. Elsewhere nobody presses Ctrl-C twice in the first moments. */
  readonly watched: Promise<void> | undefined;
  #isStarted = false;

  constructor(private readonly options: WatchdogOptions) {
    this.#timer.unref();
    if (!options.atTerminal) return;
    this.watched = this.#watching.promise;
    this.#start();
  }

  begin(doing: Doing, doneFor: DoneFor): void {
    this.#start();
    this.#shared.begin(doing, doneFor);
  }

  end(): void {
    this.#shared.end();
  }

  hearSignal(): void {
    this.#shared.hearSignal();
  }

  listen(isListening: boolean): void {
    this.#shared.listen(isListening);
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    clearTimeout(this.#timer);
    const { address, line, stuckMs, flowStuckMs, atTerminal } = this.options;
    const limits = {
      stuckMs,
      flowStuckMs,
      deafMs: atTerminal ? DEAF_AT_TERMINAL_MS : DEAF_MS,
      isAtTerminal: atTerminal,
    };
    const data = { address, worker: undefined, limits, activity: this.#shared.memory, line };
    const thread = new ThreadHandle(ENTRY, data, () => this.#watching.resolve());
    thread.ended.then(
      () => this.#watching.resolve(),
      () => {},
    ); // it never rejects
  }
}

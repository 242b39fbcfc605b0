import { TaskonautError } from "../core/errors.ts";
import { noteListener, noteSignal, whenWatched } from "../core/flow/activity.ts";
import { isLoading, onLoading } from "../core/flow/loading.ts";
import type { Io } from "./io.ts";

/** The first signal asks to leave in good order, the second one leaves. */
export interface Interrupts {
  /** Calls back at the first SIGINT or SIGTERM from now on; they end the process again once the returned function is called. */
  onFirst(listener: () => void): () => void;
  /** Rejects with `cancelled` at the second. */
  readonly second: Promise<never>;
}

/**
 * A signal so soon after the first one is the same: `timeout`, script runners and some supervisors signal a process and
 * then its whole group. At a terminal a person may press Ctrl-C twice in a row, which takes longer than that.
 */
const SAME_MS = 250;
const SAME_AT_TERMINAL_MS = 80;

export function createInterrupts({
  onSignal,
  now,
  stdinIsTTY,
}: Pick<Io, "onSignal" | "now" | "stdinIsTTY">): Interrupts {
  const sameMs = stdinIsTTY ? SAME_AT_TERMINAL_MS : SAME_MS;
  const second = Promise.withResolvers<never>();
  /**
   * A signal ends the process until somebody watches the event loop: else code that blocks it from the start would leave
   * signals to a listener that is never called.
   */
  function listen(listener: () => void): () => void {
    const watched = whenWatched();
    if (!watched) return listenNow(listener);
    let stop: (() => void) | undefined;
    let isOver = false;
    const begin = (): void => {
      if (!isOver) stop = listenNow(listener);
    };
    watched.then(begin, begin);
    return () => {
      isOver = true;
      stop?.();
    };
  }

  /** While files of flows are loaded, a signal ends the process: a file that never ends would keep it from being heard. */
  function listenNow(listener: () => void): () => void {
    let stop: (() => void) | undefined;
    const become = (isListening: boolean): void => {
      if (isListening === (stop !== undefined)) return;
      if (isListening) {
        stop = onSignal(listener);
        noteListener("comes");
      } else {
        noteListener("goes");
        stop?.();
        stop = undefined;
      }
    };
    become(!isLoading());
    const stopHearing = onLoading(() => become(!isLoading()));
    return () => {
      stopHearing();
      become(false);
    };
  }

  return {
    second: second.promise,
    onFirst(listener) {
      let firstAt: number | undefined;
      return listen(() => {
        if (firstAt === undefined) {
          firstAt = now();
          noteSignal();
          listener();
          // again, for a signal that came while the listener ran is heard only now
          firstAt = now();
        } else if (Math.abs(now() - firstAt) >= sameMs) {
          second.reject(new TaskonautError("cancelled", "Stopped at once. What had been recorded is kept."));
        }
      });
    },
  };
}

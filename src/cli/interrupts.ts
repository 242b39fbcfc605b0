import { TaskonautError } from "../core/errors.ts";
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
 * then its whole group.
 */
const SAME_MS = 250;

export function createInterrupts({ onSignal, now }: Pick<Io, "onSignal" | "now">): Interrupts {
  const second = Promise.withResolvers<never>();
  return {
    second: second.promise,
    onFirst(listener) {
      let firstAt: number | undefined;
      return onSignal(() => {
        if (firstAt === undefined) {
          firstAt = now();
          listener();
        } else if (Math.abs(now() - firstAt) >= SAME_MS) {
          second.reject(new TaskonautError("cancelled", "Stopped at once. What had been recorded is kept."));
        }
      });
    },
  };
}

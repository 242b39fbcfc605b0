import { TaskonautError } from "../core/errors.ts";
import type { Io } from "./io.ts";

/** The first signal asks to leave in good order, the second one leaves. */
export interface Interrupts {
  /** Calls back at the first SIGINT or SIGTERM from now on; they end the process again once the returned function is called. */
  onFirst(listener: () => void): () => void;
  /** Rejects with `cancelled` at the second. */
  readonly second: Promise<never>;
}

export function createInterrupts({ onSignal }: Pick<Io, "onSignal">): Interrupts {
  const second = Promise.withResolvers<never>();
  return {
    second: second.promise,
    onFirst(listener) {
      let signals = 0;
      return onSignal(() => {
        signals++;
        if (signals === 1) listener();
        else second.reject(new TaskonautError("cancelled", "Stopped at once. What had been recorded is kept."));
      });
    },
  };
}

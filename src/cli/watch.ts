// `--watch`: what is looked at is shown again and again, until it has ended or a signal comes.

import { setTimeout } from "node:timers/promises";
import { TaskonautError } from "../core/errors.ts";
import type { Call, Option } from "./command.ts";
import { usageError } from "./usage.ts";

export const WATCH_OPTION: Option = {
  name: "watch",
  summary: "Show each change: in place on a terminal, with --format ndjson a line for each",
};

/** So often the store is looked at. */
const WATCH_MS = 1000;

/** Looking that takes long is done less often. */
const REST = 5;

/** Throws usage where it cannot be shown, and where one of these options is there, which mean nothing with it. */
export function readWatch(
  { flags, io, look }: Pick<Call, "flags" | "io" | "look">,
  without: readonly string[],
): boolean {
  if (!flags.has(WATCH_OPTION.name)) return false;
  const odd = without.find((name) => flags.has(name));
  if (odd !== undefined) throw usageError([{ path: `--${odd}`, message: "means nothing with --watch" }]);
  const isShown = look.style === "lines" || (look.style === "readable" && io.stdout.isTTY);
  if (!isShown) throw usageError([{ path: "--watch", message: "needs a terminal, or --format ndjson" }]);
  return true;
}

/** Gives what `work` comes to. The first signal ends it, for nothing is done here: `cancelled`. */
export async function untilSignal<T>(
  { interrupts }: Pick<Call, "interrupts">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelled = new TaskonautError("cancelled", "Stopped watching.");
  const leave = new AbortController();
  const left = Promise.withResolvers<never>();
  const stopListening = interrupts.onFirst(() => {
    leave.abort(cancelled);
    left.reject(cancelled);
  });
  try {
    return await Promise.race([work(leave.signal), left.promise]);
  } catch (error) {
    throw leave.signal.aborted ? cancelled : error;
  } finally {
    stopListening();
    leave.abort(cancelled);
  }
}

/** Looks about once a second until `look` gives something. Rejects when the signal aborts. */
export async function lookAgain<T>(
  { io }: Pick<Call, "io">,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    const startedAt = io.now();
    const found = await look();
    if (found !== undefined) return found;
    const tookMs = io.now() - startedAt;
    await setTimeout(Math.max(WATCH_MS - tookMs, tookMs * REST), undefined, { signal });
  }
}

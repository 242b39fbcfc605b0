// `--watch`: reads and shows something again and again, until it ends or a signal comes.

import { setTimeout } from "node:timers/promises";
import { TaskonautError } from "../core/errors.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { usageError } from "./usage.ts";

export const WATCH_OPTION: Option = {
  name: "watch",
  summary: "Show each change: in place on a terminal, with --format ndjson a line for each",
};

/** How often the store is read. */
const WATCH_MS = 1000;

/** Slow reads are made less often. */
const REST = 5;

/** Throws usage if nothing can be shown, or if one of these options was given, which contradict `--watch`. */
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

/** Returns the result of `work`. The first signal ends it at once with `cancelled`, because it only reads. */
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

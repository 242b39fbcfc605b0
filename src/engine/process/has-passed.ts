import type { Clock } from "../../core/clock.ts";

/** Waits for `ms`. False if `signal` came first. */
export async function hasPassed(ms: number, signal: AbortSignal, clock: Clock): Promise<boolean> {
  await clock.sleep(ms, signal).catch(() => {}); // it rejects when the signal comes
  return !signal.aborted;
}

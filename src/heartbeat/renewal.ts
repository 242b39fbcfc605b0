// Renews the lease of one worker until it is told to stop, whatever happens to the database meanwhile.

import type { Clock } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import type { FromThread } from "./messages.ts";

export interface RenewalOptions {
  readonly workerId: string;
  readonly leaseMs: number;
  /** Asked again where it failed. */
  readonly openStore: () => Promise<Pick<Store, "renewWorker" | "close">>;
  readonly clock: Clock;
  readonly tell: (message: FromThread) => void;
}

/** Renewed this many times within a lease, so that one or two renewals may fail. */
export const RENEWALS_PER_LEASE = 3;

/** What failed is tried again sooner, so that a moment's trouble does not cost a third of the lease. */
const RETRIES_PER_LEASE = 12;

/** While failures go on they are told this often. */
const TELL_AGAIN_MS = 60_000;

/** Returns when `signal` aborts, as soon as a renewal that is under way has ended. Never throws. */
export async function renewUntil(signal: AbortSignal, options: RenewalOptions): Promise<void> {
  const { workerId, leaseMs, openStore, clock, tell } = options;
  let store: Pick<Store, "renewWorker" | "close"> | undefined;
  let failures = 0;
  let toldAt = 0;
  while (await hasPassed(failures === 0 ? leaseMs / RENEWALS_PER_LEASE : leaseMs / RETRIES_PER_LEASE, clock, signal)) {
    try {
      store ??= await openStore();
      const isThere = await store.renewWorker(workerId, leaseMs);
      if (failures > 0) tell({ kind: "recovered", failures });
      failures = 0;
      if (!isThere) tell({ kind: "gone" });
    } catch (error) {
      failures += 1;
      if (failures > 1 && clock.now() - toldAt < TELL_AGAIN_MS) continue;
      toldAt = clock.now();
      tell({ kind: "failed", failures, error: error instanceof Error ? error.message : String(error) });
    }
  }
  await store?.close().catch(() => {}); // what it held is its process's, which goes on without it
}

/** False where the signal came first. */
async function hasPassed(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return !signal.aborted;
  } catch {
    return false;
  }
}

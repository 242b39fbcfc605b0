// Retries with exponential backoff. Time and jitter are handed in, so a test owns both.

export interface RetryPolicy {
  /** Attempts in all, the first included: 1 or more. */
  readonly attempts: number;
  /** The wait after the first failure. */
  readonly baseMs: number;
  /** What each further wait is multiplied by. */
  readonly factor: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** 0 to 1: how much of a wait is drawn by lot. 0.25 gives 75 % to 100 % of it. */
  readonly jitter: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 3, baseMs: 100, factor: 2, maxMs: 1000, jitter: 0.25 };

/** The wait before the next attempt, after `failures` (1, 2, …) of them. `lot` is 0 to 1. */
export function backoffMs(policy: RetryPolicy, failures: number, lot: number): number {
  const full = Math.min(policy.maxMs, policy.baseMs * policy.factor ** (failures - 1));
  return Math.round(full * (1 - policy.jitter * lot));
}

export interface RetryTools {
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Draws the lot (0 to 1) for the wait after this many failures. */
  jitter(failures: number): number;
  /** Whether another attempt could help. */
  isRetryable(error: unknown): boolean;
  /** Told of every failed attempt, the last included. */
  onFailure?(error: unknown, failures: number): void;
  /** Aborting it ends a wait at once and allows no further attempt. */
  signal?: AbortSignal;
  /** The number of the attempt to begin with, where others were made before; by default 1. */
  first?: number;
}

/**
 * Calls `attempt(1)`, `attempt(2)`, … (or from `first` on) until one succeeds. Throws the last error when the attempts are used up or the
 * error is not retryable, and the signal's reason when it aborts.
 */
export async function retry<T>(
  attempt: (number: number) => T | Promise<T>,
  policy: RetryPolicy,
  tools: RetryTools,
): Promise<T> {
  for (let number = tools.first ?? 1; ; number++) {
    tools.signal?.throwIfAborted();
    try {
      return await attempt(number);
    } catch (error) {
      tools.onFailure?.(error, number);
      if (tools.signal?.aborted || number >= policy.attempts || !tools.isRetryable(error)) throw error;
    }
    await tools.sleep(backoffMs(policy, number, tools.jitter(number)), tools.signal);
  }
}

/**
 * A lot (0 to 1) that depends on the text alone, so that retries of a tool call are reproducible. FNV-1a, 32 bits, and
 * the finalizer of MurmurHash3: without it texts that differ in their last character alone draw nearly the same lot.
 */
export function lotOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) / 0xffffffff;
}

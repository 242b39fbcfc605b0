// Decides when a worker looks into the queue, and for how many tasks: from facts alone, without a database or a clock.
//
// CS1. A worker looks into the queue when it hears of news, when a known task is due, when it has room again and there
//     was more, and now and then in any case. An idle worker asks the database hardly anything.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import { CLAIM_MAX } from "../../store/store.ts";

/** The facts at one moment. */
export interface ClaimFacts {
  /** How many tasks the worker drives at once. */
  readonly concurrency: number;
  /** How many free places it has; 0 or less: none. */
  readonly room: number;
  /** The largest size of a claim. */
  readonly claimMax: number;
  /** There may be due tasks that it has not looked for yet. */
  readonly hasNews: boolean;
  /** How long the worker leaves the queue alone after a failed claim; otherwise 0. */
  readonly pauseMs: number;
  /** The time since the last claim ended; less than 0: the clock was set back. */
  readonly sinceClaimMs: number;
  /** The time until the next known task is due; undefined: none is known. */
  readonly dueInMs: number | undefined;
  /** The longest wait of an idle worker between two looks. */
  readonly pollMs: number;
}

export type Move =
  /** Look into the queue, for at most this many tasks. */
  | { readonly kind: "claim"; readonly limit: number }
  /** There is news, and it is too soon for a look. */
  | { readonly kind: "pause"; readonly ms: number }
  /** There is news, but no room until a task is released. */
  | { readonly kind: "full"; readonly ms: undefined }
  /** There is no news; look after this time in any case. */
  | { readonly kind: "idle"; readonly ms: number };

/** A safety net in case news is lost: an idle worker looks this often. */
const POLL_MS = 20_000;

/** The same if the database cannot send news. */
export const BLIND_POLL_MS = 500;

/** The waits after failed claims: the database may be away. */
const FAILED: Backoff = { minMs: 50, maxMs: 2_000 };

/** How long a busy worker with less than half of its places free waits for more: large claims are cheaper. */
const GATHER_MS = 5;

export function nextMove(facts: ClaimFacts): Move {
  const { concurrency, room, hasNews, pauseMs, sinceClaimMs, dueInMs, pollMs } = facts;
  if (isWithin(pauseMs, sinceClaimMs)) return { kind: "pause", ms: pauseMs - sinceClaimMs };
  if (!hasNews) return { kind: "idle", ms: Math.max(1, Math.min(pollMs, dueInMs ?? pollMs)) };
  if (room <= 0) return { kind: "full", ms: undefined };
  const limit = Math.min(room, facts.claimMax);
  const isScarce = limit < Math.min(concurrency, CLAIM_MAX) / 2;
  if (isScarce && isWithin(GATHER_MS, sinceClaimMs)) return { kind: "pause", ms: GATHER_MS - sinceClaimMs };
  return { kind: "claim", limit };
}

function isWithin(ms: number, sinceMs: number): boolean {
  return sinceMs >= 0 && sinceMs < ms;
}

/** How long after a partly filled claim to look again, to learn when the next task is due. */
const LOOK_AGAIN_MS = 100;

/** The result of a claim. */
interface Claimed {
  /** The number of tasks. */
  readonly count: number;
  /** More may be due that could be claimed as soon as there is room. */
  readonly hasMore: boolean;
  /** When the next task is due, in store time; null: unknown, or none is due. */
  readonly nextDueAt: number | null;
  /** The store's time of the claim. */
  readonly storeNow: number;
}

/** The facts that a worker keeps from one move to the next. */
export class ClaimSchedule {
  #pollMs = POLL_MS;
  #hasNews = true;
  /** The news comes from this process or from a time: other workers may not know it. */
  #isAloneWithNews = false;
  /** The last claim has failed. */
  #pauseMs = 0;
  /** Lowered while claims fail: the answer may be too large to arrive in time. */
  #claimMax = CLAIM_MAX;
  #claimedAt = 0;
  /** When the earliest task that was released here is due, in store time. */
  #letGoDueAt: number | null = null;
  /** When the next task of the queue is due, as the queue said, in store time. */
  #nextDueAt: number | null = null;

  constructor(private readonly concurrency: number) {}

  get hasNews(): boolean {
    return this.#hasNews;
  }

  pollEvery(ms: number): void {
    this.#pollMs = ms;
  }

  next(facts: { readonly room: number; readonly now: number; readonly storeNow: number }): Move {
    const { room, now, storeNow } = facts;
    const times = [this.#letGoDueAt, this.#nextDueAt].flatMap((time) => time ?? []);
    return nextMove({
      concurrency: this.concurrency,
      room,
      claimMax: this.#claimMax,
      hasNews: this.#hasNews,
      pauseMs: this.#pauseMs,
      sinceClaimMs: now - this.#claimedAt,
      dueInMs: times.length > 0 ? Math.min(...times) - storeNow : undefined,
      pollMs: this.#pollMs,
    });
  }

  noteNews({ isAlone }: { readonly isAlone: boolean }): void {
    this.#hasNews = true;
    this.#isAloneWithNews ||= isAlone;
  }

  /** Whether to tell others the news; true only once. */
  takeUntold(): boolean {
    const isUntold = this.#hasNews && this.#isAloneWithNews;
    if (isUntold) this.#isAloneWithNews = false;
    return isUntold;
  }

  /** A released task is due then. Returns whether that is earlier than all before. */
  noteDue(dueAt: number): boolean {
    if (this.#letGoDueAt !== null && this.#letGoDueAt <= dueAt) return false;
    this.#letGoDueAt = dueAt;
    return true;
  }

  /** This claim may not see tasks that come or are released from now on. */
  beginClaim(): void {
    this.#hasNews = false;
    this.#letGoDueAt = null;
  }

  endClaim({ count, hasMore, nextDueAt, storeNow }: Claimed, now: number): void {
    if (hasMore) this.#hasNews = true;
    if (!this.#hasNews) this.#isAloneWithNews = false;
    // a claim that returns tasks does not say when the next is due: that is asked after they have started
    this.#nextDueAt = count > 0 ? storeNow + LOOK_AGAIN_MS : nextDueAt;
    this.#pauseMs = 0;
    this.#claimMax = Math.min(CLAIM_MAX, 2 * this.#claimMax);
    this.#claimedAt = now;
  }

  /** The worker still has to look. */
  failClaim(now: number): void {
    this.#hasNews = true;
    this.#pauseMs = nextWait(FAILED, this.#pauseMs);
    this.#claimMax = Math.max(1, Math.floor(this.#claimMax / 2));
    this.#claimedAt = now;
  }
}

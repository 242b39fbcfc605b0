// Decides when a worker looks into the queue, and for how many tasks: from facts alone, without a database or a clock.
//
// K2. A worker looks into the queue when it hears of news, when a known task is due, when it has room again and there was
//     more, and now and then in any case. An idle worker asks the database hardly anything.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import { CLAIM_MAX } from "../../store/store.ts";

/** What is known at a moment. */
export interface ClaimFacts {
  /** How many tasks the worker drives at once. */
  readonly concurrency: number;
  /** How many more it has places for; 0 or less: none. */
  readonly room: number;
  /** No claim asks for more. */
  readonly claimMax: number;
  /** There may be due tasks that were not looked for yet. */
  readonly hasNews: boolean;
  /** How long the worker leaves the queue alone after a claim, because it has failed; else 0. */
  readonly pauseMs: number;
  /** Since the last claim came to its end; less than 0: the clock was set back. */
  readonly sinceClaimMs: number;
  /** Until the next task is due that is known of; undefined: none is. */
  readonly dueInMs: number | undefined;
  /** An idle worker waits no longer between two looks. */
  readonly pollMs: number;
}

export type Move =
  /** Look into the queue, for so many tasks at most. */
  | { readonly kind: "claim"; readonly limit: number }
  /** There is news, and it is too soon for a look. */
  | { readonly kind: "pause"; readonly ms: number }
  /** There is news, and no room until a task is let go of. */
  | { readonly kind: "full"; readonly ms: undefined }
  /** There is no news; after so long look all the same. */
  | { readonly kind: "idle"; readonly ms: number };

/** The net below all that tells of news: an idle worker looks this often. */
const POLL_MS = 20_000;

/** Where the database cannot tell of news. */
export const BLIND_POLL_MS = 500;

/** Of a claim that failed: the database may be away. */
const FAILED: Backoff = { minMs: 50, maxMs: 2_000 };

/** With less than half of its places free a busy worker waits so long for more: claims are cheaper together. */
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

/** So long after a claim that gave some but not all there was room for, to learn when the next task is due. */
const LOOK_AGAIN_MS = 100;

/** What came of a claim. */
interface Claimed {
  /** How many tasks. */
  readonly count: number;
  /** More may be due that could be claimed as soon as there is room. */
  readonly hasMore: boolean;
  /** In store time; null: unknown, or none is due. */
  readonly nextDueAt: number | null;
  /** The store's time of the claim. */
  readonly storeNow: number;
}

/** The facts that a worker keeps from one move to the next. */
export class ClaimSchedule {
  #pollMs = POLL_MS;
  #hasNews = true;
  /** The news is of this process or of a time: other workers may not know it. */
  #isAloneWithNews = false;
  /** The last claim has failed. */
  #pauseMs = 0;
  /** Lowered while claims fail: the answer may be too large to come in time. */
  #claimMax = CLAIM_MAX;
  #claimedAt = 0;
  /** When a task is due that was let go of here, in store time; of several the earliest. */
  #letGoDueAt: number | null = null;
  /** When the task is due that the queue told of, in store time. */
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

  /** Whether others are to be told of the news; once. */
  takeUntold(): boolean {
    const isUntold = this.#hasNews && this.#isAloneWithNews;
    if (isUntold) this.#isAloneWithNews = false;
    return isUntold;
  }

  /** A task was let go of that is due then. Gives whether that is earlier than all that were. */
  noteDue(dueAt: number): boolean {
    if (this.#letGoDueAt !== null && this.#letGoDueAt <= dueAt) return false;
    this.#letGoDueAt = dueAt;
    return true;
  }

  /** What comes, or is let go of, from now on, this claim may not see. */
  beginClaim(): void {
    this.#hasNews = false;
    this.#letGoDueAt = null;
  }

  endClaim({ count, hasMore, nextDueAt, storeNow }: Claimed, now: number): void {
    if (hasMore) this.#hasNews = true;
    if (!this.#hasNews) this.#isAloneWithNews = false;
    // a claim that gives tasks does not tell what comes next: that is asked when they are under way
    this.#nextDueAt = count > 0 ? storeNow + LOOK_AGAIN_MS : nextDueAt;
    this.#pauseMs = 0;
    this.#claimMax = Math.min(CLAIM_MAX, 2 * this.#claimMax);
    this.#claimedAt = now;
  }

  /** What was to be looked for is still to be looked for. */
  failClaim(now: number): void {
    this.#hasNews = true;
    this.#pauseMs = nextWait(FAILED, this.#pauseMs);
    this.#claimMax = Math.max(1, Math.floor(this.#claimMax / 2));
    this.#claimedAt = now;
  }
}

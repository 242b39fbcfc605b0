import { describe, expect, test } from "bun:test";
import { CLAIM_MAX } from "../../store/store.ts";
import { type ClaimFacts, ClaimSchedule, type Move, nextMove } from "./claim-schedule.ts";

const LONG_MS = 3_600_000;

/** A worker with ten places that has news and nothing to do, and looked into the queue long ago. */
const READY: ClaimFacts = {
  concurrency: 10,
  room: 10,
  claimMax: CLAIM_MAX,
  hasNews: true,
  pauseMs: 0,
  sinceClaimMs: LONG_MS,
  dueInMs: undefined,
  pollMs: 20_000,
};

type Row = readonly [name: string, facts: Partial<ClaimFacts>, move: Move];

const NO_NEWS: readonly Row[] = [
  ["waits for as long as it polls", {}, { kind: "idle", ms: 20_000 }],
  ["waits until the next task is due", { dueInMs: 300 }, { kind: "idle", ms: 300 }],
  [
    "waits no longer than it polls, however late the next task is due",
    { dueInMs: LONG_MS },
    { kind: "idle", ms: 20_000 },
  ],
  ["looks in a moment where a task is due already", { dueInMs: -7 }, { kind: "idle", ms: 1 }],
  ["waits in the same way where it has no room", { room: 0, dueInMs: 300 }, { kind: "idle", ms: 300 }],
];

const NEWS: readonly Row[] = [
  ["claims as many as there is room for", {}, { kind: "claim", limit: 10 }],
  ["claims no more than a claim may give", { concurrency: 9_999, room: 9_999 }, { kind: "claim", limit: CLAIM_MAX }],
  ["claims fewer where the last claims have failed", { claimMax: 3 }, { kind: "claim", limit: 3 }],
  ["waits for a place where it has none", { room: 0 }, { kind: "full", ms: undefined }],
  ["waits for a place where it holds more than it has places for", { room: -2 }, { kind: "full", ms: undefined }],
  ["claims at once where half of its places are free", { room: 5, sinceClaimMs: 0 }, { kind: "claim", limit: 5 }],
  ["waits for more places where less than half are free", { room: 4, sinceClaimMs: 0 }, { kind: "pause", ms: 5 }],
  ["waits for more places no longer than that", { room: 4, sinceClaimMs: 2 }, { kind: "pause", ms: 3 }],
  ["claims for the few places that it has after that", { room: 4, sinceClaimMs: 5 }, { kind: "claim", limit: 4 }],
  ["does not wait where the clock was set back", { room: 4, sinceClaimMs: -1 }, { kind: "claim", limit: 4 }],
  [
    "counts half of what a claim may give as many",
    { concurrency: 9_999, room: CLAIM_MAX / 2, sinceClaimMs: 0 },
    { kind: "claim", limit: CLAIM_MAX / 2 },
  ],
];

const FAILURES: readonly Row[] = [
  ["pauses", { pauseMs: 50, sinceClaimMs: 0 }, { kind: "pause", ms: 50 }],
  ["pauses for what is left of the pause", { pauseMs: 50, sinceClaimMs: 20 }, { kind: "pause", ms: 30 }],
  ["claims after the pause", { pauseMs: 50, sinceClaimMs: 50 }, { kind: "claim", limit: 10 }],
  ["pauses also where it has no room", { pauseMs: 50, sinceClaimMs: 0, room: 0 }, { kind: "pause", ms: 50 }],
  ["does not wait where the clock was set back", { pauseMs: 200, sinceClaimMs: -1 }, { kind: "claim", limit: 10 }],
];

describe("a worker without news", () => {
  test.each(NO_NEWS)("%s", (_, facts, move) => expect(nextMove({ ...READY, hasNews: false, ...facts })).toEqual(move));
});

describe("a worker with news", () => {
  test.each(NEWS)("%s", (_, facts, move) => expect(nextMove({ ...READY, ...facts })).toEqual(move));
});

describe("a worker whose claim has failed", () => {
  test.each(FAILURES)("%s", (_, facts, move) => expect(nextMove({ ...READY, ...facts })).toEqual(move));
});

describe("a schedule", () => {
  const NOW = Date.UTC(2026, 10, 23);
  /** The store's clock is an hour ahead. */
  const STORE_NOW = NOW + LONG_MS;
  const NOTHING = { count: 0, hasMore: false, nextDueAt: null, storeNow: STORE_NOW };

  const moveAt = (schedule: ClaimSchedule, ms: number, room = 10): Move =>
    schedule.next({ room, now: NOW + ms, storeNow: STORE_NOW + ms });

  /** A worker with ten places that found the queue empty at NOW. */
  const empty = (): ClaimSchedule => {
    const schedule = new ClaimSchedule(10);
    schedule.beginClaim();
    schedule.endClaim(NOTHING, NOW);
    return schedule;
  };

  test("begins with a look", () => {
    expect(moveAt(new ClaimSchedule(10), 0)).toEqual({ kind: "claim", limit: 10 });
  });

  test("waits for the task that the queue told of, and for one that was let go of, whichever comes first", () => {
    const schedule = empty();
    schedule.beginClaim();
    schedule.endClaim({ ...NOTHING, nextDueAt: STORE_NOW + 900 }, NOW);
    expect(moveAt(schedule, 0)).toEqual({ kind: "idle", ms: 900 });
    expect(schedule.noteDue(STORE_NOW + 500)).toBe(true);
    expect(schedule.noteDue(STORE_NOW + 700)).toBe(false);
    expect(moveAt(schedule, 100)).toEqual({ kind: "idle", ms: 400 });
  });

  test("asks when the next task is due soon after a claim that gave some", () => {
    const schedule = empty();
    schedule.beginClaim();
    schedule.endClaim({ ...NOTHING, count: 3 }, NOW);
    expect(moveAt(schedule, 0)).toEqual({ kind: "idle", ms: 100 });
  });

  test("looks again where there was more, and where news came while it looked", () => {
    const more = empty();
    more.beginClaim();
    more.endClaim({ ...NOTHING, count: 10, hasMore: true }, NOW);
    expect(moveAt(more, 0)).toEqual({ kind: "claim", limit: 10 });
    const meanwhile = empty();
    meanwhile.beginClaim();
    meanwhile.noteNews({ isAlone: false });
    meanwhile.endClaim(NOTHING, NOW);
    expect(moveAt(meanwhile, 0)).toEqual({ kind: "claim", limit: 10 });
  });

  test("keeps what was let go of while it looked, and nothing from before", () => {
    const schedule = empty();
    schedule.noteDue(STORE_NOW + 100);
    schedule.beginClaim();
    schedule.noteDue(STORE_NOW + 600);
    schedule.endClaim(NOTHING, NOW);
    expect(moveAt(schedule, 0)).toEqual({ kind: "idle", ms: 600 });
  });

  test("asks for half as much after each failure, and for twice as much after each success", () => {
    const schedule = new ClaimSchedule(9_999);
    const limits: unknown[] = [];
    const look = (failed: boolean): void => {
      const move = moveAt(schedule, LONG_MS, 9_999);
      limits.push(move.kind === "claim" && move.limit);
      schedule.beginClaim();
      if (failed) schedule.failClaim(NOW);
      else schedule.endClaim({ ...NOTHING, hasMore: true }, NOW);
    };
    for (const failed of [true, true, false, false, false]) look(failed);
    expect(limits).toEqual([500, 250, 125, 250, 500]);
    for (let i = 0; i < 20; i++) schedule.failClaim(NOW);
    expect(moveAt(schedule, LONG_MS)).toEqual({ kind: "claim", limit: 1 });
  });

  test("pauses for longer after each failure, and not any more after a success", () => {
    const schedule = new ClaimSchedule(10);
    const pauses: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      schedule.beginClaim();
      schedule.failClaim(NOW);
      pauses.push(moveAt(schedule, 0));
    }
    const waits = [50, 100, 200, 400, 800, 1_600, 2_000, 2_000];
    expect(pauses).toEqual(waits.map((ms) => ({ kind: "pause", ms })));
    schedule.beginClaim();
    schedule.endClaim({ ...NOTHING, hasMore: true }, NOW);
    expect(moveAt(schedule, 5)).toEqual({ kind: "claim", limit: 2 });
  });

  test("has news to tell others once, where only this process knows it and nobody has looked for it", () => {
    const schedule = empty();
    schedule.noteNews({ isAlone: false });
    expect(schedule.takeUntold()).toBe(false);
    schedule.noteNews({ isAlone: true });
    expect([schedule.takeUntold(), schedule.takeUntold()]).toEqual([true, false]);
    schedule.noteNews({ isAlone: true });
    schedule.beginClaim();
    schedule.endClaim(NOTHING, NOW);
    schedule.noteNews({ isAlone: false });
    expect(schedule.takeUntold()).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { type Facts, standingOf } from "./standing.ts";

const NOW = 1_000;

/** When it is due, who holds it, and why it is parked. */
const TABLE: readonly [string, Omit<Facts, "now">, [number | null, string | null, string | null]][] = [
  [
    "a task that was never queued stays out of the queue while a caller works on it",
    { isAtWork: true },
    [null, null, null],
  ],
  ["a task that was queued stays where it is while there is work", { isAtWork: true, queuedAt: 5 }, [5, null, null]],
  ["a held task is in the queue, for whoever takes over", { holder: "w", isAtWork: true }, [NOW, "w", null]],
  ["a held task keeps the time from which it was there", { holder: "w", queuedAt: 5 }, [5, "w", null]],
  ["a held task is due now, though it was to be later", { holder: "w", queuedAt: 2_000 }, [NOW, "w", null]],
  ["a held task that waits is due all the same", { holder: "w", firstDue: 9_000 }, [NOW, "w", null]],
  ["a task that waits for a time is due then", { firstDue: 9_000, queuedAt: 5 }, [9_000, null, null]],
  ["a task that waits for somebody is in no queue", { queuedAt: 5 }, [null, null, null]],
  ["a task for which something may have come is due now", { isUnread: true, firstDue: 9_000 }, [NOW, null, null]],
  [
    "a parked task is aside, whoever holds it and whatever it waits for",
    { parked: { reason: "why", code: "c" }, holder: "w", isAtWork: true, queuedAt: 5, firstDue: 9 },
    [null, null, "why"],
  ],
  [
    "a task that has ended is neither held, nor due, nor parked",
    { isEnded: true, parked: { reason: "why", code: null }, holder: "w", isUnread: true, queuedAt: 5 },
    [null, null, null],
  ],
];

describe("a task's standing", () => {
  test.each(TABLE)("%s", (_name, facts, [due_at, lease_owner, parked_reason]) => {
    expect(standingOf({ ...facts, now: NOW })).toEqual({
      due_at,
      lease_owner,
      parked_reason,
      parked_code: parked_reason === null ? null : "c",
      waits: null,
    });
  });

  test("what it waits for is told until it has ended, also of a parked task", () => {
    const parked = { reason: "why", code: null };
    expect(standingOf({ waits: 2, now: NOW }).waits).toBe(2);
    expect(standingOf({ waits: 2, parked, now: NOW }).waits).toBe(2);
    expect(standingOf({ waits: 2, isEnded: true, now: NOW }).waits).toBeNull();
  });

  test("a task that every worker may try again is parked for no code", () => {
    expect(standingOf({ parked: { reason: "why", code: null }, now: NOW }).parked_code).toBeNull();
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FlowShares } from "./flow-shares.ts";

/**
 * A queue like a store's: gives each flow, in the order of the request, its tasks, up to its limit and the room left.
 */
class Queue {
  readonly shares: FlowShares;
  readonly waiting: Map<string, number>;
  hasMore = false;

  constructor(waiting: Readonly<Record<string, number>>, heldMax: Readonly<Record<string, number>> = {}) {
    this.waiting = new Map(Object.entries(waiting));
    this.shares = new FlowShares([...this.waiting.keys()].map((name) => ({ name, heldMax: heldMax[name] ?? null })));
  }

  /** The result of one claim, by flow; only flows that got something. */
  claim(room: number): Readonly<Record<string, number>> {
    const got = new Map<string, number>();
    let left = room;
    for (const { name, limit } of this.shares.grant(room)) {
      const count = Math.min(limit, left, this.waiting.get(name) ?? 0);
      if (count === 0) continue;
      got.set(name, count);
      left -= count;
      this.waiting.set(name, (this.waiting.get(name) ?? 0) - count);
    }
    this.hasMore = this.shares.note(got, { isFull: left === 0 });
    return Object.fromEntries(got);
  }
}

const FLOOD = 1_000_000;

describe("shares", () => {
  test("are all that there is room for, where one flow alone has tasks", () => {
    const queue = new Queue({ a: FLOOD, b: 0 });
    for (let i = 0; i < 3; i++) expect(queue.claim(10)).toEqual({ a: 10 });
  });

  test("of a flow that comes beside a flood are whatever it has, at once", () => {
    const queue = new Queue({ flood: FLOOD, small: 0 });
    queue.claim(10);
    for (const count of [1, 3, 9]) {
      queue.waiting.set("small", count);
      expect(queue.claim(10)).toMatchObject({ small: count });
      expect(queue.claim(10)).toMatchObject({ flood: expect.any(Number) });
    }
  });

  test("of floods are alike, as soon as it is known that they are", () => {
    const queue = new Queue({ a: FLOOD, b: FLOOD, c: FLOOD });
    for (let i = 0; i < 3; i++) queue.claim(30);
    for (let i = 0; i < 5; i++) expect(queue.claim(30)).toEqual({ a: 10, b: 10, c: 10 });
  });

  test("go round, where there are fewer places than floods", () => {
    const queue = new Queue({ a: FLOOD, b: FLOOD, c: FLOOD, d: FLOOD });
    for (let i = 0; i < 4; i++) queue.claim(2);
    const before = new Map(queue.waiting);
    for (let i = 0; i < 20; i++) queue.claim(2);
    for (const [name, count] of queue.waiting) expect((before.get(name) ?? 0) - count).toBe(10);
  });

  test("are no more than the flow may have at all; the places that it leaves are for others", () => {
    const queue = new Queue({ limited: FLOOD, other: 5 }, { limited: 2 });
    expect(queue.shares.grant(10)).toEqual([
      { name: "limited", limit: 2, heldMax: 2 },
      { name: "other", limit: 10, heldMax: null },
    ]);
    expect(queue.claim(10)).toEqual({ limited: 2, other: 5 });
    // a flow that came back with its maximum had more
    expect(queue.hasMore).toBe(true);
  });

  test("tell that nothing is left, once a claim has found less than it might have", () => {
    const queue = new Queue({ a: 13, b: 2 });
    queue.claim(10);
    expect(queue.hasMore).toBe(true);
    queue.claim(10);
    expect(queue.hasMore).toBe(false);
    expect([...queue.waiting.values()]).toEqual([0, 0]);
  });

  test("starve nobody, whatever comes: who has work gets something within as many claims as there are flows", () => {
    const names = ["a", "b", "c", "d", "e"];
    const arrivals = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(1, 7, FLOOD)), { maxLength: 3 });
    const round = fc.tuple(fc.integer({ min: 1, max: 12 }), arrivals);
    fc.assert(
      fc.property(fc.array(round, { minLength: 30, maxLength: 60 }), (rounds) => {
        const queue = new Queue(Object.fromEntries(names.map((name) => [name, 0])));
        const hungry = new Map<string, number>();
        for (const [room, come] of rounds) {
          for (const [name, count] of come) queue.waiting.set(name, (queue.waiting.get(name) ?? 0) + count);
          const had = names.filter((name) => (queue.waiting.get(name) ?? 0) > 0);
          const got = queue.claim(room);
          for (const name of names) {
            hungry.set(name, had.includes(name) && got[name] === undefined ? (hungry.get(name) ?? 0) + 1 : 0);
          }
          expect(Math.max(...hungry.values())).toBeLessThanOrEqual(names.length);
        }
      }),
    );
  });

  test("leave no task behind: as long as there is any, it is told that there may be more", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (counts, room) => {
          const queue = new Queue(Object.fromEntries(counts.map((count, index) => [`flow ${index}`, count])));
          let claims = 0;
          do queue.claim(room);
          while (queue.hasMore && ++claims < 1000);
          expect([...queue.waiting.values()].filter((left) => left > 0)).toEqual([]);
        },
      ),
    );
  });
});

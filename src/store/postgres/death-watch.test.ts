import { describe, expect, test } from "bun:test";
import { DeathWatch, type Suspect } from "./death-watch.ts";

const ELSEWHERE: Suspect = { id: "w", lease: "1", whereabouts: "unknown", graceMs: 400 };

/** Looks at these times, each 250 ms after the last; returns the looks at which the worker is dead. */
function deathsOf(looks: readonly (Suspect | undefined | "passed" | { readonly cut: true })[]): number[] {
  const watch = new DeathWatch();
  let session = 1;
  return looks.flatMap((look, index) => {
    const at = { passed: [], session, now: 250 * index };
    if (look === "passed") return watch.look([], { ...at, passed: [ELSEWHERE.id] }).map(() => index);
    if (look && "cut" in look) {
      session += 1;
      return [];
    }
    const dead = watch.look(look ? [look] : [], at);
    return dead.map(() => index);
  });
}

describe("a lock that is free while the lease runs", () => {
  test("proves a death at once where the process is known to be gone, also to one that has just come", () => {
    expect(deathsOf([{ ...ELSEWHERE, whereabouts: "gone" }])).toEqual([0]);
    expect(deathsOf([{ ...ELSEWHERE, whereabouts: "gone", graceMs: null }])).toEqual([0]);
  });

  test("proves nothing where the process is known to be there, however long", () => {
    expect(
      deathsOf([undefined, ...Array.from({ length: 100 }, () => ({ ...ELSEWHERE, whereabouts: "there" as const }))]),
    ).toEqual([]);
  });

  test("of a process elsewhere proves a death once it was seen taken, and is free for longer than its grace", () => {
    expect(deathsOf([undefined, ELSEWHERE, ELSEWHERE, ELSEWHERE])).toEqual([3]);
    expect(deathsOf([undefined, ELSEWHERE, ELSEWHERE, undefined, ELSEWHERE, ELSEWHERE])).toEqual([]);
  });

  test("of a process elsewhere proves nothing where something between may have cut the connection", () => {
    const behindProxy = { ...ELSEWHERE, graceMs: null };
    expect(deathsOf([undefined, ...Array.from({ length: 100 }, () => behindProxy)])).toEqual([]);
  });

  test("proves nothing to one who never saw it taken, or whose own connection was cut since", () => {
    const free = Array.from({ length: 20 }, () => ELSEWHERE);
    expect(deathsOf(free)).toEqual([]);
    expect(deathsOf([undefined, ELSEWHERE, { cut: true }, ...free])).toEqual([]);
    expect(deathsOf([undefined, { cut: true }, ...free])).toEqual([]);
    // after it was taken again, its next fall counts
    expect(deathsOf([...free, undefined, ELSEWHERE, ELSEWHERE, ELSEWHERE])).toEqual([23]);
  });

  test("proves nothing where the lease had passed, and was renewed before the lock was taken again", () => {
    const free = Array.from({ length: 20 }, () => ELSEWHERE);
    expect(deathsOf(["passed", ...free])).toEqual([]);
    expect(deathsOf([undefined, { cut: true }, "passed", ...free])).toEqual([]);
    // after it was taken again, its next fall counts
    expect(deathsOf(["passed", ELSEWHERE, undefined, ELSEWHERE, ELSEWHERE, ELSEWHERE])).toEqual([5]);
  });

  test("proves nothing while the lease is renewed", () => {
    const renewing = Array.from({ length: 20 }, (_, index) => ({ ...ELSEWHERE, lease: String(index) }));
    expect(deathsOf([undefined, ...renewing])).toEqual([]);
    expect(
      deathsOf([
        undefined,
        ELSEWHERE,
        { ...ELSEWHERE, lease: "2" },
        { ...ELSEWHERE, lease: "2" },
        { ...ELSEWHERE, lease: "2" },
      ]),
    ).toEqual([4]);
  });

  test("is judged for each worker by itself", () => {
    const watch = new DeathWatch();
    watch.look([], { passed: [], session: 1, now: 0 });
    const both = [ELSEWHERE, { ...ELSEWHERE, id: "v", graceMs: 5000 }];
    watch.look(both, { passed: [], session: 1, now: 250 });
    expect(watch.look(both, { passed: [], session: 1, now: 700 }).map(({ id }) => id)).toEqual(["w"]);
  });
});

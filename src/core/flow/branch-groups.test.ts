// Concurrency, giving up and cancelling within a program (`program.test.ts` has the rest).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { type Body, done, errorOf, failed, names, outputOf, programOf, step } from "../../../test/support/programs.ts";
import { all, call, map, race, sleep, waitForSignal, type Operation } from "./operation.ts";
import { defineTool } from "./tool.ts";

type Generated = ReturnType<Body>;

describe("map", () => {
  test("has never more under way than it may, begins the next as one ends, and keeps the order of the items", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.nat()),
        (count, concurrency, lots) => {
          const items = Array.from({ length: count }, (_, index) => `s${index}`);
          const program = programOf(function* () {
            return yield* map(items, (item, index) => (index % 2 === 0 ? step(item) : branch(item)), { concurrency });
          });
          const open = new Map(program.start().planned.map(({ path, name }) => [path, name]));
          expect([...open.values()]).toEqual(items.slice(0, concurrency));
          let begun = open.size;
          while (open.size > 0) {
            expect(open.size).toBe(Math.min(concurrency, count - (begun - open.size)));
            const [path, name] = [...open][(lots.next().value as number) % open.size] as [string, string];
            open.delete(path);
            for (const decision of program.observe(path, done(name), 0).planned) {
              open.set(decision.path, decision.name);
              begun += 1;
            }
          }
          expect(outputOf(program)).toEqual(items);
        },
      ),
    );
  });

  test("begins no more after a failure, lets those under way end, then throws it", () => {
    const program = programOf(function* () {
      yield* map(["a", "b", "c", "d"], step, { concurrency: 2 });
    });
    program.start();
    expect(names(program.observe("/0.0", failed("first"), 0))).toEqual([]);
    expect(program.end).toBeUndefined();
    expect(names(program.observe("/0.1", failed("second"), 0))).toEqual([]);
    expect(errorOf(program)).toBe("a: first");
  });

  test("goes through items whose member settles at once without taking the stack", () => {
    const program = programOf(function* () {
      return (yield* map(
        Array.from({ length: 50_000 }, (_, n) => n),
        (n) => atOnce(n),
        { concurrency: 3 },
      )).length;
    });
    program.start();
    expect(outputOf(program)).toBe(50_000);
  });

  test("fails where its function throws, as a failure of that member", () => {
    const program = programOf(function* () {
      yield* map([1, 2], (n) => {
        if (n === 2) throw new Error("two");
        return step("one");
      });
    });
    program.start();
    program.observe("/0.0", done(1), 0);
    expect(errorOf(program)).toBe("two");
  });

  test.each([0, -1, 1.5, Number.NaN])("with a concurrency of %d is refused", (concurrency) => {
    expect(() => map([1], () => step("x"), { concurrency })).toThrow("concurrency must be an integer, 1 or more");
  });
});

describe("a failing all", () => {
  test("gives up what only waits, and lets end what does something", () => {
    const program = programOf(function* () {
      yield* all({ a: step("a"), b: step("b"), c: sleep("1h"), d: waitForSignal("go"), e: branch("e") });
    });
    program.start();
    const turn = program.observe("/0.a", failed("no"), 0);
    expect(turn.abandoned).toEqual(["/0.c", "/0.d"]);
    expect(program.end).toBeUndefined();
    program.observe("/0.b", done(1), 0);
    program.observe("/0.e/0", failed("later"), 0);
    expect(errorOf(program)).toBe("a: no");
  });

  const asleep = function* (): Generated {
    yield* sleep("1h");
    return yield* step("never");
  };

  test.each<[string, () => Operation<unknown> | Generated]>([
    ["a branch", asleep],
    ["a group", () => all([sleep("1h"), waitForSignal("go")])],
    ["a race", () => race([sleep("1h"), asleep()])],
    ["a map with more to come", () => map([1, 2, 3], () => sleep("1h"), { concurrency: 1 })],
    ["groups in branches in groups", () => all({ x: race([all([asleep()]), waitForSignal("go")]) })],
  ])("is not held back by %s that only waits", (_what, member) => {
    const program = programOf(function* () {
      yield* all({ a: step("a"), b: member() });
    });
    program.start();
    expect(names(program.observe("/0.a", failed("no"), 0))).toEqual([]);
    expect(errorOf(program)).toBe("a: no");
  });

  test("lets a member that does something go on to its next wait, which never becomes a step, and clean up", () => {
    const program = programOf(function* () {
      yield* all({
        a: step("a"),
        b: (function* () {
          try {
            yield* step("b1");
            yield* step("b2");
            yield* sleep("1h");
          } finally {
            yield* step("undo");
          }
        })(),
        c: race([step("c"), sleep("1h")]),
      });
    });
    program.start();
    expect(program.observe("/0.a", failed("no"), 0)).toEqual({ planned: [], abandoned: [] });
    expect(names(program.observe("/0.b/0", done(1), 0))).toEqual(["b2"]);
    const turn = program.observe("/0.b/1", done(1), 0);
    expect([names(turn), turn.abandoned]).toEqual([["undo"], []]);
    program.observe("/0.b/3", done(1), 0);
    expect(program.end).toBeUndefined();
    expect(program.observe("/0.c.0", done(1), 0).abandoned).toEqual(["/0.c.1"]);
    expect(errorOf(program)).toBe("a: no");
  });

  test("in an all that is caught lets the flow go on at once", () => {
    const program = programOf(function* () {
      try {
        yield* all({ a: step("a"), b: asleep() });
      } catch {
        yield* step("instead");
      }
    });
    program.start();
    const turn = program.observe("/0.a", failed("no"), 0);
    expect([names(turn), turn.abandoned]).toEqual([["instead"], ["/0.b/0"]]);
  });
});

describe("cancel", () => {
  test("lets finally blocks plan, innermost first, and no catch sees it", () => {
    const seen: string[] = [];
    const program = programOf(function* () {
      try {
        try {
          yield* step("work");
        } catch {
          seen.push("catch");
        } finally {
          yield* step("inner");
        }
        yield* step("never");
      } finally {
        yield* step("outer");
      }
    });
    program.start();
    const turn = program.cancel(0);
    expect([turn.abandoned, names(turn)]).toEqual([["/0"], ["inner"]]);
    expect(names(program.observe("/1", done(1), 0))).toEqual(["outer"]);
    program.observe("/2", done(1), 0);
    expect(program.end).toBeDefined();
    expect(seen).toEqual([]);
  });

  test("reaches every member of nested groups at once, and ends when all are through", () => {
    const cleaning = (name: string): Generated =>
      (function* () {
        try {
          return yield* step(name);
        } finally {
          yield* step(`clean-${name}`);
        }
      })();
    const program = programOf(function* () {
      yield* race([
        all([cleaning("a"), race([cleaning("b"), sleep("1h")])]),
        map([1, 2, 3], (n) => cleaning(`m${n}`), { concurrency: 2 }),
      ]);
    });
    program.start();
    const turn = program.cancel(0);
    expect(names(turn).toSorted()).toEqual(["clean-a", "clean-b", "clean-m1", "clean-m2"]);
    expect(turn.abandoned.length).toBe(5);
    for (const { path } of turn.planned) {
      expect(program.end).toBeUndefined();
      expect(names(program.observe(path, done(null), 0))).toEqual([]);
    }
    expect(program.end).toBeDefined();
  });

  test("a second time changes nothing, also while finally blocks run", () => {
    const program = programOf(function* () {
      try {
        yield* step("work");
      } finally {
        yield* step("one");
        yield* step("two");
      }
    });
    program.start();
    program.cancel(0);
    expect(program.cancel(0)).toEqual({ planned: [], abandoned: [] });
    expect(names(program.observe("/1", done(1), 0))).toEqual(["two"]);
  });

  test("of a loser of a race that cleans up lets it end", () => {
    const program = programOf(function* () {
      try {
        yield* race([
          step("fast"),
          (function* () {
            try {
              return yield* step("slow");
            } finally {
              yield* step("tidy-one");
              yield* step("tidy-two");
            }
          })(),
        ]);
      } finally {
        yield* step("last");
      }
    });
    program.start();
    expect(names(program.observe("/0.0", done(1), 0))).toEqual(["tidy-one"]);
    expect(program.cancel(0)).toEqual({ planned: [], abandoned: [] });
    expect(names(program.observe("/0.1/1", done(1), 0))).toEqual(["tidy-two"]);
    expect(names(program.observe("/0.1/2", done(1), 0))).toEqual(["last"]);
  });

  test("an outcome that was recorded for a step given up is ignored", () => {
    const program = programOf(function* () {
      yield* race([step("a"), step("b")]);
      return yield* step("c");
    });
    program.start();
    program.observe("/0.0", done(1), 0);
    expect(program.observe("/0.1", done(2), 0)).toEqual({ planned: [], abandoned: [] });
    program.observe("/1", done(3), 0);
    expect(outputOf(program)).toBe(3);
  });
});

test("a signal that the flow does not declare is refused where it is waited for, with those it declares", () => {
  const program = programOf(function* () {
    yield* waitForSignal("nobody");
  });
  expect(program.start().planned).toEqual([]);
  expect(errorOf(program)).toContain("does not declare in its signals (declared: go)");
});

function* branch(name: string): Generated {
  return yield* step(name);
}

function* atOnce(value: unknown): Generated {
  yield* [];
  return value;
}

describe("what cannot be a step where it stands is told before anything beside it is one", () => {
  const once = defineTool({
    name: "once",
    input: v.unknown(),
    output: v.unknown(),
    execution: "at-most-once",
    run: () => null,
  });
  const SIGNAL = "Flow sample waits for signal other, which it does not declare in its signals (declared: go).";
  const RACE = "Tool once is at-most-once and cannot stand in a race";

  test.each<[string, string, () => Operation<unknown>]>([
    ["a signal", SIGNAL, () => waitForSignal("other")],
    ["a signal in a group", SIGNAL, () => all([step("work"), waitForSignal("other")])],
    ["a signal in a race", SIGNAL, () => race([step("work"), waitForSignal("other")])],
    [
      "a signal deep within",
      SIGNAL,
      () => all({ a: step("work"), b: race([all([step("x"), waitForSignal("other")])]) }),
    ],
    ["a tool in a race", RACE, () => race([step("work"), call(once, 1)])],
    ["a tool in a group in a race", RACE, () => all([step("work"), race([all([step("x"), call(once, 1)])])])],
  ])("%s", (_what, message, operation) => {
    const program = programOf(function* () {
      return yield* operation();
    });
    expect(program.start().planned).toEqual([]);
    expect(errorOf(program)).toContain(message);
  });
});

import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";

import { defineFlow } from "./flow.ts";
import { keyOf, type LimitOptions } from "./own-limits.ts";

const flowWith = (limits: unknown, more: object = {}) =>
  defineFlow({
    name: "mail",
    input: v.unknown(),
    limits: limits as LimitOptions,
    plan: () => [],
    ...more,
  });

test("all that a flow says of its limits is there, in numbers", () => {
  const { limits } = flowWith({ running: 5, key: () => "k", runningPerKey: 1, rate: { count: 100, per: "1m" } });
  expect(limits).toMatchObject({ running: 5, runningPerKey: 1, rate: { count: 100, perMs: 60_000 } });
  expect(flowWith({ rate: { count: 1, per: 250 } }).limits).toMatchObject({
    running: null,
    runningPerKey: null,
    rate: { count: 1, perMs: 250 },
    key: undefined,
  });
  expect(flowWith(undefined).limits).toBeUndefined();
});

test("concurrency is short for limits.running", () => {
  const limitsOf = (more: object) => flowWith(undefined, more).limits;
  expect(limitsOf({ concurrency: 3 })).toMatchObject({ running: 3, runningPerKey: null, rate: null });
});

test.each([
  [5, "limits must be an object such as { running: 5 }, got 5"],
  [{}, "limits limits nothing"],
  [{ running: 0 }, "limits.running must be an integer, 1 or more, got 0"],
  [{ running: "5" }, 'limits.running must be an integer, 1 or more, got "5"'],
  [{ running: 2_000_000_000 }, "limits.running must be an integer"],
  [{ key: "tenant" }, "limits.key must be a function such as (input) => input.tenant"],
  [{ runningPerKey: 1 }, "limits.runningPerKey needs limits.key"],
  [{ perKey: 1 }, "did you mean runningPerKey?"],
  [{ rate: 100 }, 'limits.rate must be an object such as { count: 100, per: "1m" }, got 100'],
  [{ rate: { per: "1m" } }, "limits.rate.count is missing"],
  [{ rate: { count: 5 } }, 'limits.rate.per is missing; write per: "1m"'],
  [{ rate: { count: 5, per: "soon" } }, 'limits.rate.per: "soon" is not a valid duration'],
  [{ rate: { count: 5, per: 0 } }, "limits.rate.per must be 1 ms to a year, got 0"],
  [{ rate: { count: 5, window: "1m" } }, "did you mean per?"],
])("limits: %p is refused, with what to write", (limits, message) => {
  expect(() => flowWith(limits)).toThrow(message);
});

test("a flow has limits.running or concurrency, not both", () => {
  expect(() => flowWith({ running: 1 }, { concurrency: 1 })).toThrow("another word for limits.running");
});

test("a key is a text as it is recorded, and anything else is refused", () => {
  const ownKey = (key: unknown): string | null => {
    const { limits } = flowWith({ key: () => key });
    if (!limits) throw new Error("It has none.");
    return keyOf("Flow mail", limits, null);
  };
  expect(ownKey("tenant 1")).toBe("tenant 1");
  expect(ownKey(7)).toBe("7");
  for (const wrong of ["", "x".repeat(257), "a\0b", "\ud800", null, undefined, {}, true]) {
    expect(() => ownKey(wrong)).toThrow("limits.key must give a text of 1 to 256 characters, or a number");
  }
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
      (key) => key.includes("\0") || ownKey(key) === key,
    ),
  );
});

import { expect, test } from "bun:test";
import { currentScope, DeterminismError, isWatched, underWatch, violate, type Watch } from "./determinism.ts";

test("a watch lasts as long as what runs under it, and the outer one comes back", () => {
  const outer: Watch = { violation: undefined };
  const inner: Watch = { violation: undefined };
  expect(isWatched()).toBe(false);
  underWatch(outer, () => {
    expect(isWatched()).toBe(true);
    underWatch(inner, () => {
      expect(() => violate("inner()", "Do not.")).toThrow("inner()");
    });
    expect(() => violate("outer()", "Do not.")).toThrow("outer()");
  });
  expect(isWatched()).toBe(false);
  expect(currentScope()).toBeUndefined();
  expect(inner.violation?.message).toContain("inner()");
  expect(outer.violation?.message).toContain("outer()");
});

test("a watch ends also where what runs under it throws", () => {
  expect(() =>
    underWatch({ violation: undefined }, () => {
      throw new Error("x");
    }),
  ).toThrow("x");
  expect(isWatched()).toBe(false);
});

test("the first violation is the one that is remembered, although it was caught", () => {
  const watch: Watch = { violation: undefined };
  underWatch(watch, () => {
    for (const call of ["first()", "second()"]) {
      try {
        violate(call, "Use now().");
      } catch (error) {
        expect(error).toBeInstanceOf(DeterminismError);
      }
    }
  });
  expect(watch.violation?.message).toBe("A flow called first(), which gives another result on replay. Use now().");
});

test("without a watch it is thrown, and nobody is blamed", () => {
  expect(() => violate("x()", "Do not.")).toThrow(DeterminismError);
  expect(isWatched()).toBe(false);
});

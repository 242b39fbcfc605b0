import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PROGRESS_MESSAGE_MAX, readProgress } from "./progress.ts";

describe("what a tool tells of its progress", () => {
  test.each([
    [{ done: 3, total: 10, message: "page 3" }, '{"done":3,"total":10,"message":"page 3"}'],
    [{ done: 0 }, '{"done":0}'],
    [{ message: "" }, '{"message":""}'],
    [{ done: 12, total: 10 }, '{"done":12,"total":10}'],
    [{ done: 0.5, total: undefined, message: undefined }, '{"done":0.5}'],
  ])("%j is kept as JSON", (given, text) => {
    expect(readProgress(given)).toEqual({ ok: true, text });
  });

  test.each<[unknown, string]>([
    [undefined, "it takes an object such as { done: 3, total: 10 }, got undefined"],
    [50, "it takes an object such as { done: 3, total: 10 }, got 50"],
    [{}, "it says neither done nor message"],
    [{ total: 5 }, "it says neither done nor message"],
    [{ done: "3" }, 'done must be a number, 0 or more, got "3"'],
    [{ done: Number.NaN }, "done must be a number, 0 or more, got NaN"],
    [{ done: -1 }, "done must be a number, 0 or more, got -1"],
    [{ done: 1, total: Number.POSITIVE_INFINITY }, "total must be a number, 0 or more, got Infinity"],
    [{ message: 5 }, "message must be a text, got 5"],
    [{ doen: 5 }, 'it has no field "doen"; known: done, total, message; did you mean done?'],
  ])("%p is refused, with what is wrong", (given, why) => {
    expect(readProgress(given)).toEqual({ ok: false, message: `progress(): ${why}.` });
  });

  test("whatever is given, what is kept is small, and JSON that comes back", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true }),
        fc.string({ unit: "binary", maxLength: 2000 }),
        (given, message) => {
          readProgress(given);
          const read = readProgress({ message });
          if (!read.ok) throw new Error("A text is refused.");
          const back = JSON.parse(read.text) as { message: string };
          expect(back.message.length).toBeLessThanOrEqual(PROGRESS_MESSAGE_MAX);
          expect(back.message.isWellFormed()).toBe(true);
          expect(read.text.length).toBeLessThan(6 * PROGRESS_MESSAGE_MAX + 20);
        },
      ),
    );
  });
});

import { expect, test } from "bun:test";
import fc from "fast-check";
import { TaskonautError } from "../errors.ts";
import { parseTaskName, readWholeId } from "./task-names.ts";

const ID = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";

test("a beginning stands for the ids that begin with it, in any letter case, with dashes or without", () => {
  const expected = {
    kind: "beginning",
    from: "019ab2c4-5d00-0000-0000-000000000000",
    to: "019ab2c4-5dff-ffff-ffff-ffffffffffff",
  } as const;
  expect(parseTaskName("019ab2c4-5d")).toEqual(expected);
  expect(parseTaskName("019AB2C45D")).toEqual(expected);
  expect(parseTaskName("019ab2c4-")).toEqual({
    ...expected,
    from: "019ab2c4-0000-0000-0000-000000000000",
    to: "019ab2c4-ffff-ffff-ffff-ffffffffffff",
  });
});

test("every beginning of an id has the id in its range", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 4, max: 36 }), fc.boolean(), fc.boolean(), (id, length, upper, bare) => {
      const cut = (bare ? id.replaceAll("-", "") : id).slice(0, length);
      const name = parseTaskName(upper ? cut.toUpperCase() : cut);
      if (name.kind !== "beginning") throw new Error("It is a beginning.");
      expect(name.from <= id && id <= name.to).toBe(true);
      const digits = cut.replaceAll("-", "");
      for (const end of [name.from, name.to]) expect(end.replaceAll("-", "")).toStartWith(digits.toLowerCase());
    }),
  );
});

test("the whole id is taken without its dashes, and in upper case", () => {
  expect(readWholeId(ID)).toBe(ID);
  expect(readWholeId(ID.toUpperCase())).toBe(ID);
  expect(readWholeId(ID.replaceAll("-", ""))).toBe(ID);
  expect(readWholeId(ID.slice(0, 35))).toBeUndefined();
  expect(readWholeId("@last")).toBeUndefined();
});

test("@last is the newest task, of a flow where one is named", () => {
  expect(parseTaskName("@last")).toEqual({ kind: "last", flow: null });
  expect(parseTaskName("@LAST:order")).toEqual({ kind: "last", flow: "order" });
});

test.each(["", "5", "019", "01-9", "019ab2c45d-6e", "xyzw", `${ID}0`, "@", "@last:", "-019ab2c4", "019ab2c4--5d6e"])(
  "%p is none",
  (text) => {
    expect(() => parseTaskName(text)).toThrow(TaskonautError);
  },
);

test("what is nearly @last is told to be", () => {
  expect(() => parseTaskName("@lsat")).toThrow(/or @last; did you mean @last\?$/);
});

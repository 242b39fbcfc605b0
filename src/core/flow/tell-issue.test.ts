import { expect, test } from "bun:test";
import * as v from "valibot";
import { tellIssue } from "./tell-issue.ts";

const text = v.string();
const number = v.number();

test.each<[v.GenericSchema, unknown, string]>([
  [text, 5, "expected a string, got 5"],
  [number, "x", 'expected a number, got "x"'],
  [v.boolean(), "yes", 'expected true or false, got "yes"'],
  [v.object({}), 5, "expected an object, got 5"],
  [v.array(text), {}, "expected a list, got an object"],
  [v.union([text, number]), true, "expected a string or a number, got true"],
  [v.union([v.object({ a: text }), v.object({ b: text })]), 5, "expected an object, got 5"],
  [v.picklist(["a", "b", "c"]), "d", 'expected "a", "b" or "c", got "d"'],
  [v.literal("a"), "b", 'expected "a", got "b"'],
  [v.nonNullable(v.nullable(text)), null, "must not be null"],
  [v.object({ a: text }), {}, "required"],
  [v.strictObject({}), { a: 1 }, "unknown field"],
  [v.custom(() => false), "x", 'is not valid, got "x"'],
  [v.pipe(number, v.minValue(1)), 0, "must be at least 1, got 0"],
  [v.pipe(number, v.maxValue(20)), 99, "must be at most 20, got 99"],
  [v.pipe(number, v.gtValue(1)), 1, "must be more than 1, got 1"],
  [v.pipe(number, v.values([4, 5])), 6, "must be 4 or 5, got 6"],
  [v.pipe(number, v.notValue(4)), 4, "must not be 4"],
  [v.pipe(number, v.integer()), 1.5, "must be an integer, got 1.5"],
  [v.pipe(number, v.multipleOf(5)), 3, "must be a multiple of 5, got 3"],
  [v.pipe(text, v.minLength(2)), "a", "must have at least 2 characters, has 1"],
  [v.pipe(text, v.length(1)), "ab", "must have exactly 1 character, has 2"],
  [v.pipe(v.array(text), v.maxLength(1)), ["a", "b"], "must have at most 1 item, has 2"],
  [v.pipe(v.record(text, text), v.minEntries(2)), {}, "must have at least 2 fields, has 0"],
  [v.pipe(text, v.maxBytes(1)), "ab", "must have at most 1 byte, has 2"],
  [v.pipe(text, v.nonEmpty()), "", "must not be empty"],
  [v.pipe(text, v.email()), "x", 'must be an email address, got "x"'],
  [v.pipe(text, v.isoDate()), "x", 'must be a date such as 2026-11-30, got "x"'],
  [v.pipe(text, v.ulid()), "x", 'is not a valid ULID, got "x"'],
  [v.pipe(text, v.regex(/^[A-Z]+$/)), "x", 'must match /^[A-Z]+$/, got "x"'],
  [v.pipe(text, v.endsWith("!")), "x", 'must end with "!", got "x"'],
  [v.pipe(text, v.excludes("x")), "x", 'must not contain "x", got "x"'],
  [
    v.pipe(
      text,
      v.check(() => false),
    ),
    "x",
    'does not pass a check of the contract, got "x"',
  ],
  [text, undefined, "required"],
  [v.pipe(text, v.minLength(200)), "y".repeat(150), "must have at least 200 characters, has 150"],
  [number, "y".repeat(150), `expected a number, got "${"y".repeat(100)}…"`],
])("%#: a violation without words of its own is told in a sentence", (schema, value, told) => {
  const { issues } = v.safeParse(schema, value);
  expect(issues?.map(tellIssue)).toEqual([told]);
});

test("a contract's own words stand as they are, but for their first letter", () => {
  const told = (schema: v.GenericSchema, value: unknown): readonly string[] | undefined =>
    v.safeParse(schema, value).issues?.map(tellIssue);
  expect(told(v.pipe(text, v.minLength(2, "Give a longer name")), "a")).toEqual(["give a longer name"]);
  expect(told(v.string("Invalid name: a text is needed"), 5)).toEqual(["invalid name: a text is needed"]);
});

test("no action or schema of valibot speaks in its own words", () => {
  const bare: Record<string, () => unknown> = Object.fromEntries(
    Object.entries(v).filter(([name, make]) => typeof make === "function" && !name.endsWith("Async")),
  ) as Record<string, () => unknown>;
  let checked = 0;
  for (const [name, make] of Object.entries(bare)) {
    for (const value of ["\u0000 ?", -1.5, [], {}, true]) {
      try {
        const made = make() as v.GenericSchema;
        const schema = made.kind === "schema" ? made : v.pipe(v.unknown(), made as never);
        for (const issue of v.safeParse(schema, value).issues ?? []) {
          checked += 1;
          expect([name, tellIssue(issue)]).not.toEqual([
            name,
            expect.stringMatching(/[Ee]xpected .* but received|[Rr]eceived/),
          ]);
        }
      } catch (error) {
        if (error instanceof Error && error.message.includes("expect(")) throw error;
      }
    }
  }
  expect(checked).toBeGreaterThan(100);
});

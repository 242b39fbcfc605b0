import { expect, test } from "bun:test";
import * as v from "valibot";
import { applyContract, type Schema } from "../../core/flow/contract.ts";
import type { Json } from "../../core/record/json-value.ts";
import type { Keys } from "../field-place.ts";
import type { JsonSchema } from "../json-schema.ts";
import { Draft } from "./draft.ts";
import { createJudge, type Judge } from "./judge.ts";

function judgeOf(contract: Schema): Judge {
  return createJudge((value) => {
    const result = applyContract(contract, value);
    return result.ok ? [] : result.errors;
  });
}

const judge = (of: Judge, known: Json, keys: Keys, value: Json, schema: JsonSchema = {}): string | undefined =>
  of(new Draft(known), keys, value, schema);

const stay = judgeOf(
  v.pipe(
    v.object({
      mail: v.pipe(v.string(), v.email("no address")),
      from: v.pipe(v.string(), v.isoDate("no date")),
      to: v.pipe(v.string(), v.isoDate("no date")),
      guests: v.array(v.object({ name: v.pipe(v.string(), v.nonEmpty("no name")) })),
    }),
    v.forward(
      v.partialCheck([["from"], ["to"]], ({ from, to }) => from < to, "before the arrival"),
      ["to"],
    ),
  ),
);

test("an answer is judged by the contract of its own field, whatever else is missing", () => {
  expect(judge(stay, {}, ["mail"], "ada")).toBe("no address");
  expect(judge(stay, {}, ["mail"], "ada@example.org")).toBeUndefined();
  expect(judge(stay, { mail: "wrong" }, ["from"], "2026-13-01")).toBe("no date");
  expect(judge(stay, { guests: [{ name: "Ada" }] }, ["guests", 1, "name"], "")).toBe("no name");
});

test("what contradicts another answer is let pass: which of the two is wrong nobody knows yet", () => {
  expect(judge(stay, { from: "2026-03-01" }, ["to"], "2026-02-01")).toBeUndefined();
  expect(judge(stay, { from: "2026-03-01" }, ["to"], "later")).toBe("no date");
});

test("in a form that was chosen, the contract is followed as far as it looks, and then the schema", () => {
  const pay = judgeOf(
    v.object({
      pay: v.variant("kind", [
        v.object({ kind: v.literal("card"), number: v.pipe(v.string(), v.minLength(4, "short")) }),
      ]),
      size: v.union([
        v.object({ cm: v.pipe(v.number(), v.minValue(1)), of: v.string() }),
        v.object({ name: v.string() }),
      ]),
    }),
  );
  const card = new Draft();
  card.mark(["pay", "kind"], "card");
  expect(pay(card, ["pay", "number"], "12", {})).toBe("short");
  expect(pay(card, ["pay", "number"], "1234", {})).toBeUndefined();
  const cm = { type: "number", minimum: 1 };
  expect(judge(pay, { size: {} }, ["size", "cm"], 0, cm)).toBe("must be at least 1");
  expect(judge(pay, { size: {} }, ["size", "cm"], 2, cm)).toBeUndefined();
});

test("a contract that has no words of its own is told in a sentence", () => {
  const short = judgeOf(v.object({ sku: v.pipe(v.string(), v.minLength(2), v.endsWith("!")) }));
  const schema = { type: "string", minLength: 2 };
  expect(judge(short, {}, ["sku"], "a", schema)).toBe("must have at least 2 characters, has 1");
  expect(judge(short, {}, ["sku"], "ab", schema)).toBe('must end with "!", got "ab"');
});

test("without a contract the schema is what there is", () => {
  const schema = createJudge(undefined);
  expect(judge(schema, {}, ["mail"], "ada", { type: "string", format: "email" })).toBe("must be an email address");
});

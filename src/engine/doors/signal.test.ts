import { expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../core/errors.ts";
import { defineFlow } from "../../core/flow/flow.ts";
import { sleep } from "../../core/flow/operation.ts";
import { readSignal } from "./signal.ts";

const flow = defineFlow({
  name: "sample",
  input: v.unknown(),
  signals: {
    approved: v.object({ by: v.string(), level: v.optional(v.number(), 1) }),
    any: v.unknown(),
    big: v.pipe(
      v.number(),
      v.transform((n) => BigInt(n)),
    ),
  },
  *run() {
    yield* sleep(1);
  },
});

const read = (name: string, payload: unknown, bytesMax = 100): string => readSignal(flow, { name, payload, bytesMax });

function refusal(name: string, payload: unknown, bytesMax?: number): TaskonautError {
  try {
    read(name, payload, bytesMax);
  } catch (error) {
    if (error instanceof TaskonautError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

test("a payload is recorded as its contract gives it", () => {
  expect(read("approved", { by: "me" })).toBe('{"by":"me","level":1}');
  expect(read("any", null)).toBe("null");
});

test("a payload that breaks its contract is refused, with every violation", () => {
  const error = refusal("approved", { by: 1, level: "x" });
  expect([error.code, error.status, error.errors.map(({ path }) => path)]).toEqual([
    "input_invalid",
    422,
    ["by", "level"],
  ]);
});

test("a payload that JSON cannot carry is refused", () => {
  expect(refusal("big", 1).code).toBe("input_invalid");
});

test("a signal that the flow does not declare is refused with those it does", () => {
  expect(refusal("aproved", {}).message).toContain("declares: approved, any, big");
  expect(refusal("toString", {}).code).toBe("input_invalid");
});

test("a payload over the limit, in bytes of UTF-8, is refused", () => {
  expect(read("any", "é".repeat(49))).toHaveLength(51);
  const error = refusal("any", "é".repeat(50));
  expect([error.code, error.status]).toEqual(["body_too_large", 413]);
});

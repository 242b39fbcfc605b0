import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Duration } from "../record/duration.ts";
import { defineTool, type RetryOptions, type Tool, withGuarantee } from "./tool.ts";

function define(parts: { timeout?: Duration; retry?: RetryOptions }): Tool {
  return defineTool({ name: "t", input: v.unknown(), output: v.unknown(), run: () => null, ...parts });
}

describe("a tool's times", () => {
  test("are taken up to what a timer counts", () => {
    const { timeoutMs, retry } = define({ timeout: 2 ** 31 - 1, retry: { base: "24d", max: "24d" } });
    expect([timeoutMs, retry.baseMs, retry.maxMs]).toEqual([2_147_483_647, 2_073_600_000, 2_073_600_000]);
  });

  test.each([
    ["timeout", { timeout: "30d" as const }],
    ["timeout", { timeout: 2 ** 31 }],
    ["retry: base", { retry: { base: "25d" as const } }],
    ["retry: max", { retry: { max: "25d" as const } }],
  ])("%s is refused beyond that: %p", (field, parts) => {
    expect(() => define(parts)).toThrow(`Tool t: ${field} must be under 25 days`);
  });
});

test("a tool has the guarantee that was recorded with a step, and as many attempts as that allows", () => {
  const tool = define({ retry: { attempts: 5 } });
  expect(withGuarantee(tool, "at-least-once")).toBe(tool);
  expect(withGuarantee(tool, "pure")).toMatchObject({ name: "t", execution: "pure", retry: { attempts: 5 } });
  expect(withGuarantee(tool, "at-most-once")).toMatchObject({ execution: "at-most-once", retry: { attempts: 1 } });
});

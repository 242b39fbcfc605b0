import { expect, test } from "bun:test";
import { DEFAULT_LIMITS } from "./core/limits.ts";
import { readLimits } from "./read-limits.ts";

test("without variables the defaults hold, and an empty one is none", () => {
  expect(readLimits({})).toEqual(DEFAULT_LIMITS);
  expect(readLimits({ TASKONAUT_LEASE_MS: "" })).toEqual(DEFAULT_LIMITS);
});

test("what a variable says holds in place of its default", () => {
  expect(readLimits({ TASKONAUT_LEASE_MS: "1500", TASKONAUT_MAX_STEPS: "7" })).toEqual({
    ...DEFAULT_LIMITS,
    leaseMs: 1500,
    stepsPerTask: 7,
  });
});

test.each<[string, number, number]>([
  ["TASKONAUT_MAX_INPUT_BYTES", 1, 268_435_456],
  ["TASKONAUT_MAX_OUTPUT_BYTES", 1, 268_435_456],
  ["TASKONAUT_MAX_STEPS", 1, 1_000_000],
  ["TASKONAUT_TOOL_TIMEOUT_MS", 1, 2_147_483_647],
  ["TASKONAUT_MAX_CHILD_DEPTH", 1, 1000],
  ["TASKONAUT_LEASE_MS", 1000, 86_400_000],
  ["TASKONAUT_GRACE_MS", 1, 86_400_000],
  ["TASKONAUT_FLOW_STUCK_MS", 100, 86_400_000],
  ["TASKONAUT_STUCK_MS", 1000, 86_400_000],
])("%s is an integer from %d to %d", (name, min, max) => {
  for (const text of [String(min), String(max)])
    expect(Object.values(readLimits({ [name]: text }))).toContain(Number(text));
  for (const text of [String(min - 1), String(max + 1), "9000000000000000", "1e9", "1.5", "-1", " 5000", "64k"]) {
    expect(() => readLimits({ [name]: text })).toThrow(
      `${name} must be an integer from ${min} to ${max}, got ${JSON.stringify(text)}.`,
    );
  }
});

test("how long ended tasks are kept is a time of a minute or more, or off", () => {
  const { retention } = readLimits({
    TASKONAUT_RETENTION_COMPLETED: "7d",
    TASKONAUT_RETENTION_FAILED: "off",
    TASKONAUT_RETENTION_CANCELLED: "",
  });
  expect(retention).toEqual({ completed: 604_800_000, failed: null, cancelled: 7_776_000_000 });
  for (const text of ["never", "7", "-1d", "7 d", "OFF"]) {
    const message = `TASKONAUT_RETENTION_FAILED: ${JSON.stringify(text)} is not a valid duration`;
    expect(() => readLimits({ TASKONAUT_RETENTION_FAILED: text })).toThrow(message);
  }
  const tooShort = 'TASKONAUT_RETENTION_COMPLETED: "59s" is too short: tasks are kept for a minute or more.';
  expect(() => readLimits({ TASKONAUT_RETENTION_COMPLETED: "59s" })).toThrow(tooShort);
});

test("entries of the audit log are kept for ever, unless the environment says otherwise", () => {
  expect(readLimits({}).auditKeptMs).toBeNull();
  expect(readLimits({ TASKONAUT_RETENTION_AUDIT: "off" }).auditKeptMs).toBeNull();
  expect(readLimits({ TASKONAUT_RETENTION_AUDIT: "365d" }).auditKeptMs).toBe(365 * 86_400_000);
  const tooShort = 'TASKONAUT_RETENTION_AUDIT: "59s" is too short: entries are kept for a minute or more.';
  expect(() => readLimits({ TASKONAUT_RETENTION_AUDIT: "59s" })).toThrow(tooShort);
});

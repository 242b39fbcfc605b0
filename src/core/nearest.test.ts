import { expect, test } from "bun:test";
import { suggest } from "./nearest.ts";

const NAMES = ["get-task", "get-tasks", "run-flow", "run-app", "cancel-task", "flows"];

test("the nearest name is offered, and none where all are far", () => {
  expect(suggest("get-taks", NAMES)).toBe("; did you mean get-task?");
  expect(suggest("flwos", NAMES)).toBe("; did you mean flows?");
  expect(suggest("wran", ["error", "warn", "info", "debug"])).toBe("; did you mean warn?");
  expect(suggest("frobnicate", NAMES)).toBe("");
  expect(suggest("x".repeat(1_000_000), NAMES)).toBe("");
});

test("two letters in the wrong order are one slip, so a short name is still found", () => {
  expect(suggest("bca", ["abc", "bac"])).toBe("; did you mean bac?");
});

test("a word of names offers those names, if they are few", () => {
  expect(suggest("cancel", NAMES)).toBe("; did you mean cancel-task?");
  expect(suggest("get", NAMES)).toBe("; did you mean get-task or get-tasks?");
  expect(suggest("get", [...NAMES, "get-a", "get-b"])).toBe("");
});

test("a synonym counts before spelling, with one slip, in any case, and only where there is what it means", () => {
  const synonyms = { list: ["get-tasks"], queue: ["run-flow --mode enqueue"], stop: ["end-task"] };
  expect(suggest("list", NAMES, synonyms)).toBe("; did you mean get-tasks?");
  expect(suggest("LIST", NAMES, synonyms)).toBe("; did you mean get-tasks?");
  expect(suggest("lsit", NAMES, synonyms)).toBe("; did you mean get-tasks?");
  expect(suggest("queue", NAMES, synonyms)).toBe("; did you mean run-flow --mode enqueue?");
  expect(suggest("stop", NAMES, synonyms)).toBe("");
  expect(suggest("constructor", NAMES, synonyms)).toBe("");
});

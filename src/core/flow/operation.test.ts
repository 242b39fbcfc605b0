import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "./flow.ts";
import { all, call, isGenerator, map, operationOf, race, runChild, sleep, waitForSignal } from "./operation.ts";
import { defineTool } from "./tool.ts";

const tool = defineTool({ name: "tool", input: v.number(), output: v.number(), run: (n) => n });
const flow = defineFlow({
  name: "child",
  input: v.number(),
  *run(n) {
    return yield* call(tool, n);
  },
});

describe("an operation", () => {
  test("tells the step it becomes", () => {
    expect(operationOf(call(tool, 1, { as: "mine" }))).toMatchObject({
      kind: "tool",
      name: "mine",
      target: "tool",
      input: 1,
      tool,
    });
    expect(operationOf(sleep("1m"))).toMatchObject({
      kind: "sleep",
      name: "sleep",
      target: null,
      input: { ms: 60_000 },
    });
    expect(operationOf(waitForSignal("go"))).toMatchObject({ kind: "signal", name: "go", target: "go", input: {} });
    expect(operationOf(waitForSignal("go", { timeout: "1s" }))).toMatchObject({ input: { timeout_ms: 1000 } });
    expect(operationOf(runChild(flow, 2, { as: "kid" }))).toMatchObject({
      kind: "child",
      name: "kid",
      target: "child",
      input: 2,
      flow,
    });
  });

  test("is yielded as itself by yield*, and gives what it is resumed with", () => {
    const operation = call(tool, 1);
    const generator = operation[Symbol.iterator]();
    expect(generator.next().value).toBe(operation);
    expect(generator.next(7)).toEqual({ done: true, value: 7 } as never);
  });

  test("of a group has its keys as they were given, and keeps what was in it then", () => {
    const items = [1, 2];
    const group = operationOf(map(items, (n) => call(tool, n)));
    items.push(3);
    expect(group).toMatchObject({ form: "all", keys: ["0", "1"], isList: true, concurrency: 10 });
    expect(operationOf(all({ b: sleep(1), a: sleep(2) }))).toMatchObject({
      form: "all",
      keys: ["b", "a"],
      isList: false,
    });
    expect(operationOf(race([sleep(1)]))).toMatchObject({ form: "race", keys: ["0"], isList: true });
  });
});

test("a duration that is none is refused where it is written", () => {
  expect(() => sleep("1 hour" as "1h")).toThrow("is not a valid duration");
  expect(() => waitForSignal("go", { timeout: -1 })).toThrow("is not a valid duration");
});

test("what is yielded is told from what is not", () => {
  for (const value of [null, undefined, 1, "x", {}, [], Promise.resolve()]) {
    expect(operationOf(value)).toBeUndefined();
    expect(isGenerator(value)).toBe(false);
  }
  expect(isGenerator(call(tool, 1)[Symbol.iterator]())).toBe(true);
  expect(isGenerator((async function* () {})())).toBe(false);
});

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { DefinitionError } from "./definition.ts";
import { defineFlow } from "./flow.ts";
import { all, call, map, race, runChild, sleep, waitForSignal } from "./operation.ts";
import { defineSignal } from "./signal.ts";
import { defineTool } from "./tool.ts";

const TOOL = { name: "pay", input: v.number(), output: v.number(), run: (n: number) => n };
const FLOW = { name: "order", input: v.number(), plan: () => [] };
const tool = defineTool(TOOL);
const flow = defineFlow(FLOW);

function refusalOf(define: () => unknown): string {
  try {
    define();
  } catch (error) {
    if (error instanceof DefinitionError && error.code === "flow_invalid") return error.message;
    throw error;
  }
  return "";
}

const flowWith = (more: object): string => refusalOf(() => defineFlow({ ...FLOW, ...more }));
const toolWith = (more: object): string => refusalOf(() => defineTool({ ...TOOL, ...more }));

describe("a key that nobody reads is an error, with the one that was meant", () => {
  test.each([
    [{ retires: 5 }, "Tool pay: retires is not an option of defineTool; did you mean retry?"],
    [{ retries: 5 }, "Tool pay: retries is not an option of defineTool; did you mean retry?"],
    [{ timeoutMs: 5 }, "Tool pay: timeoutMs is not an option of defineTool; did you mean timeout?"],
    [{ exection: "pure" }, "Tool pay: exection is not an option of defineTool; did you mean execution?"],
    [{ retry: { atempts: 5 } }, "Tool pay: retry.atempts is not an option of defineTool; did you mean attempts?"],
    [
      { retry: { maxAttempts: 5 } },
      "Tool pay: retry.maxAttempts is not an option of defineTool; did you mean attempts?",
    ],
    [
      { colour: 1, size: 2 },
      "Tool pay: colour and size are not options of defineTool; its options are name, description, input, output, execution, retry, timeout, limits, run.",
    ],
    [
      { u1: 1, u2: 1, u3: 1, u4: 1, u5: 1, u6: 1, u7: 1 },
      "Tool pay: u1, u2, u3, u4, u5 and 2 more are not options of defineTool; its options are name, description, input, output, execution, retry, timeout, limits, run.",
    ],
    [{ retires: undefined }, "Tool pay: retires is not an option of defineTool; did you mean retry?"],
    [
      { colour: "red" },
      "Tool pay: colour is not an option of defineTool; its options are name, description, input, output, execution, retry, timeout, limits, run.",
    ],
  ])("of a tool: %p", (more, message) => {
    expect(toolWith(more)).toBe(message);
  });

  test.each([
    [{ concurency: 5 }, "Flow order: concurency is not an option of defineFlow; did you mean concurrency?"],
    [{ signal: {} }, "Flow order: signal is not an option of defineFlow; did you mean signals?"],
    [
      { timeout: "5s" },
      "Flow order: timeout is not an option of defineFlow; its options are name, description, input, signals, concurrency, limits, retention, unique, expiresIn, schedules, tags, plan, run.",
    ],
  ])("of a flow: %p", (more, message) => {
    expect(flowWith(more)).toBe(message);
  });

  test.each<[string, () => unknown, string]>([
    ["call", () => call(tool, 1, { As: "x" } as never), "call(pay): As is not an option of call; did you mean as?"],
    ["call", () => call(tool, 1, { name: "x" } as never), "call(pay): name is not an option of call; did you mean as?"],
    [
      "map",
      () => map([1], (n) => call(tool, n), { concurency: 1 } as never),
      "map(items, fn): concurency is not an option of map; did you mean concurrency?",
    ],
    [
      "waitForSignal",
      () => waitForSignal("paid", v.object({ by: v.string() }) as never),
      "waitForSignal(paid): its options are { timeout }, got a contract; give it to defineSignal(name, contract), name that in the flow's `signals`, and wait for it.",
    ],
    [
      "call",
      () => call(tool, 1, v.number() as never),
      "call(pay): its options are { as }, got a contract; a tool has its contracts from defineTool.",
    ],
    [
      "waitForSignal",
      () => waitForSignal("paid", { timout: "5s" } as never),
      "waitForSignal(paid): timout is not an option of waitForSignal; did you mean timeout?",
    ],
    [
      "runChild",
      () => runChild(flow, 1, { timeout: "5s" } as never),
      "runChild(order): timeout is not an option of runChild; its only option is as.",
    ],
  ])("of %s", (_use, use, message) => {
    expect(refusalOf(use)).toBe(message);
  });

  const first = all as (...given: unknown[]) => unknown;
  test.each<[string, () => unknown, string]>([
    ["all", () => first([], { concurrency: 2 }), "all(members): it takes one argument, got 2; only map(items, fn, {"],
    [
      "race",
      () => (race as typeof first)([sleep(1)], { timeout: "5s" }),
      "race(members): it takes one argument, got 2; for a limit in time, make sleep(duration) one of its members.",
    ],
    [
      "sleep",
      () => (sleep as typeof first)(1, {}),
      "sleep(duration): it takes one argument, got 2; it has no options.",
    ],
  ])("options of %s, which has none", (_use, use, message) => {
    expect(refusalOf(use)).toStartWith(message);
  });
});

describe("a value of the wrong type is told with what it should be", () => {
  test.each([
    [{ name: 5 }, "defineTool: 5 is not a valid name for a tool; use a letter,"],
    [{ description: 5 }, "Tool pay: description must be a text, got 5."],
    [{ execution: "once" }, 'Tool pay: execution must be "pure" or "at-least-once" or "at-most-once", got "once".'],
    [{ retry: 5 }, 'Tool pay: retry must be an object such as { attempts: 5, base: "200ms" }, got 5.'],
    [{ retry: { attempts: "5" } }, 'Tool pay: retry: attempts must be an integer, 1 or more, got "5".'],
    [{ retry: { factor: "2" } }, 'Tool pay: retry: factor must be 1 or more, got "2".'],
    [{ retry: { jitter: 2 } }, "Tool pay: retry: jitter must be 0 to 1, got 2."],
    [{ retry: { base: "5" } }, 'Tool pay: retry: base: "5" is not a valid duration; write "30s", "5m" or "2h"'],
    [{ timeout: null }, "Tool pay: timeout: null is not a valid duration;"],
    [{ timeout: 0 }, "Tool pay: timeout must be above 0."],
    [{ run: [] }, "Tool pay: run must be a function, run(input, ctx) { … }, got a list."],
  ])("of a tool: %p", (more, message) => {
    expect(toolWith(more)).toStartWith(message);
  });

  test.each([
    [{ name: "1st" }, 'defineFlow: "1st" is not a valid name for a flow; use a letter,'],
    [{ description: null }, "Flow order: description must be a text, got null."],
    [{ concurrency: "5" }, 'Flow order: concurrency must be an integer, 1 or more, got "5".'],
    [{ signals: "paid" }, 'Flow order: signals must be [approved] or { approved: schema }, got "paid".'],
    [{ plan: undefined, run: 5 }, "Flow order: run must be a generator function"],
    [{ plan: 5 }, "Flow order: plan must be a function that gives a list of calls"],
    [{ plan: function* () {} }, "Flow order: plan must be a function that gives a list of calls"],
    [{ plan: async () => [] }, "Flow order: a flow is not async"],
    [{ plan: undefined, async *run() {} }, "Flow order: a flow is not async"],
  ])("of a flow: %p", (more, message) => {
    expect(flowWith(more)).toStartWith(message);
  });

  test.each<[string, () => unknown, string]>([
    ["sleep", () => sleep("soon" as "1s"), 'sleep: "soon" is not a valid duration; write "30s", "5m" or "2h"'],
    ["call", () => call(tool, 1, "first" as never), 'call(pay): its options must be an object, { as }, got "first".'],
    ["call", () => call(tool, 1, { as: 5 } as never), "call(pay): as: 5 is not a valid name for a step;"],
    [
      "map",
      () => map([], () => sleep(1), 5 as never),
      "map(items, fn): its options must be an object, { concurrency }",
    ],
    ["map", () => map({} as never, () => sleep(1)), "map(items, fn): items must be a list, got an object."],
    [
      "map",
      () => map([], sleep(1) as never),
      "map(items, fn): fn must be a function, (item, index) => call(…), got an",
    ],
    [
      "waitForSignal",
      () => waitForSignal("paid", { timeout: "soon" as "1s" }),
      'waitForSignal(paid): timeout: "soon" is not a valid duration;',
    ],
    ["waitForSignal", () => waitForSignal(5 as never), "waitForSignal(signal): 5 is not a valid name for a signal;"],
    [
      "all",
      () => all(5 as never),
      "all(members): it takes its members in a list or an object, all([ … ]) or all({ … })",
    ],
    ["race", () => race(call(tool, 1) as never), "race(members): it takes its members in a list or an object"],
    [
      "all",
      () => all({ a: 5 } as never),
      "all(…): member a is 5; a member is an operation, such as call(tool, input),",
    ],
    ["all", () => all([Promise.resolve()] as never), "all(…): member 0 is a promise; a member is an operation"],
    ["race", () => race([() => sleep(1)] as never), "race(…): member 0 is a function; call it: a member is what it"],
  ])("of %s", (_use, use, message) => {
    expect(refusalOf(use)).toStartWith(message);
  });
});

describe("what is missing", () => {
  test("is told with what to write", () => {
    expect(toolWith({ run: undefined })).toBe("Tool pay: run is missing; write run(input, ctx) { … }.");
    expect(toolWith({ output: undefined })).toStartWith("Tool pay: output is missing; give it a valibot schema");
    expect(flowWith({ plan: undefined })).toStartWith("Flow order: run is missing; write *run(input) { … }, or plan(");
    expect(flowWith({ name: undefined })).toBe("defineFlow: name is missing; give the flow one.");
    expect(refusalOf(() => defineFlow("order" as never))).toStartWith(
      'defineFlow({ name, input, *run(input) { … } }): it takes one object, and got "order".',
    );
    expect(refusalOf(() => defineTool(undefined as never))).toEndWith("it takes one object, and got undefined.");
  });

  test("is not what a key was meant for that is written otherwise", () => {
    expect(toolWith({ run: undefined, handler: () => 1 })).toBe(
      "Tool pay: handler is not an option of defineTool; did you mean run?",
    );
  });

  test("of a flow is one of two, and both are one too many", () => {
    expect(flowWith({ *run() {} })).toBe("Flow order: a flow has either *run or plan, not both.");
  });
});

test("everything that is wrong with a definition is told at once", () => {
  expect(toolWith({ retires: 5, timeout: "soon", input: v.date() })).toMatch(
    /^Tool pay: 3 things are wrong: retires is not .* did you mean retry\?; input is v\.date\(\).*; timeout: "soon" is not/,
  );
});

describe("signals of a flow", () => {
  const approved = defineSignal("approved", v.object({ by: v.string() }));
  const go = defineSignal("go");

  test("are the same whether they are listed or given by name", () => {
    const listed = defineFlow({ ...FLOW, signals: [approved, go] });
    const named = defineFlow({ ...FLOW, signals: { approved: approved.schema, go: go.schema } });
    expect([...listed.signals]).toEqual([...named.signals]);
    expect([...listed.signals.keys()]).toEqual(["approved", "go"]);
  });

  test("of one name are refused", () => {
    expect(flowWith({ signals: [go, defineSignal("go", v.string())] })).toBe(
      "Flow order: signals: go is listed twice.",
    );
  });

  test("in a mix of both forms are refused, with what to write", () => {
    expect(flowWith({ signals: { approved } })).toBe(
      "Flow order: signal approved is made by defineSignal: list it, as in signals: [approved].",
    );
    expect(flowWith({ signals: ["approved"] })).toBe(
      'Flow order: signals: a list holds what defineSignal(name, schema) gave, and this one has "approved".',
    );
  });

  test("have a name and a contract that can work", () => {
    expect(refusalOf(() => defineSignal("1st"))).toStartWith('defineSignal(name, schema): "1st" is not a valid name');
    expect(refusalOf(() => defineSignal("at", v.date()))).toStartWith("Signal at: its schema is v.date(), and JSON");
    expect(refusalOf(() => defineSignal("at", undefined as never))).toBe(
      "Signal at: its schema must be a synchronous valibot schema.",
    );
  });
});

describe("how long tasks are kept", () => {
  test.each([
    [undefined, {}],
    ["7d", { completed: 604_800_000, failed: 604_800_000, cancelled: 604_800_000 }],
    [60_000, { completed: 60_000, failed: 60_000, cancelled: 60_000 }],
    ["off", { completed: null, failed: null, cancelled: null }],
    [
      { completed: "1h", failed: "off" },
      { completed: 3_600_000, failed: null },
    ],
  ] as const)("%j is taken", (retention, said) => {
    expect(defineFlow({ ...FLOW, ...(retention !== undefined && { retention }) }).retention).toEqual(said);
  });

  test.each([
    ["never", 'Flow order: retention: "never" is not a valid duration'],
    ["30s", 'Flow order: retention: "30s" is too short: tasks are kept for a minute or more.'],
    [{ canceled: "7d" }, "Flow order: retention.canceled is not an option of defineFlow; did you mean cancelled?"],
    [{ failed: null }, "Flow order: retention: failed: null is not a valid duration"],
    [["7d"], "Flow order: retention: a list is not a valid duration"],
  ])("%j is refused", (retention, message) => {
    expect(flowWith({ retention })).toStartWith(message);
  });
});

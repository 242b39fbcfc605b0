// A person who is asked for an input: each answer is checked at once, objects and lists are walked through, and after a
// refusal only what was wrong is asked for again.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Task } from "../../src/core/api/task.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import type { Served } from "./served.ts";
import type { Terminal } from "./terminal.ts";

setDefaultTimeout(120_000);

const FLOWS = `
import { call, defineFlow, defineTool, waitForSignal } from "taskonaut";
import * as v from "valibot";
const Node = v.object({ name: v.string(), kids: v.optional(v.array(v.lazy(() => Node))) });
const run = function* (input) { return input; };
export const stay = defineFlow({ name: "stay", run, input: v.pipe(
  v.object({
    mail: v.pipe(v.string(), v.email("not an email address"), v.description("who gets the bill")),
    from: v.pipe(v.string(), v.isoDate("not a date")),
    to: v.pipe(v.string(), v.isoDate("not a date")),
    guests: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)), 2),
    note: v.optional(v.string()),
  }),
  v.forward(v.partialCheck([["from"], ["to"]], ({ from, to }) => from < to, "is before the arrival"), ["to"]),
) });
export const rich = defineFlow({ name: "rich", run, input: v.object({
  size: v.optional(v.picklist(["s", "m"])), express: v.nullable(v.boolean()), gift: v.boolean(),
  tags: v.pipe(v.array(v.pipe(v.string(), v.maxLength(5))), v.minLength(1), v.description("labels")),
  address: v.optional(v.object({ zip: v.pipe(v.string(), v.regex(/^\\d{4}$/, "four digits")), city: v.string() })),
  pay: v.variant("kind", [v.object({ kind: v.literal("card"), number: v.pipe(v.string(), v.minLength(4)) }), v.object({ kind: v.literal("cash") })]),
  stock: v.record(v.string(), v.number()), pair: v.tuple([v.string(), v.number()]), tree: Node, extra: v.unknown(),
  made: v.optional(v.string(), () => "by a function"), colors: v.optional(v.array(v.string()), ["red"]),
}) });
const approved = v.object({ by: v.pipe(v.string(), v.minLength(2)), level: v.picklist([1, 2]) });
export const asks = defineFlow({ name: "asks", input: v.object({}), signals: { approved, nudged: v.unknown() },
  *run() { return yield* waitForSignal("approved"); } });
const pay = defineTool({ name: "pay", execution: "at-most-once", timeout: "20ms", input: v.object({}), output: v.object({ receipt: v.pipe(v.string(), v.minLength(3)) }),
  run: () => new Promise((resolve) => setTimeout(resolve, 60_000)) });
export const doubtful = defineFlow({ name: "doubtful", input: v.object({}), *run() { return yield* call(pay, {}); } });
`;

let sandbox: Sandbox;
let server: Served;
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.write("flows/flows.ts", FLOWS);
  server = await sandbox.serve(["--no-worker"]);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Each question that is to be seen, and what is typed then. */
type Talk = readonly (readonly [question: string, typed: string])[];
const [ENTER, DOWN, CLEAR] = ["\r", "\u001B[B", "\u0015"];

async function talk(terminal: Terminal, answers: Talk): Promise<void> {
  for (const [question, typed] of answers) {
    await terminal.see(question);
    terminal.type(typed);
  }
}

async function lastInput(): Promise<unknown> {
  return (JSON.parse((await sandbox.run(["get-task", "@last"])).stdout) as Task).input_payload;
}

const STAY: Talk = [
  ["mail: who gets the bill (an email address)", `ada${ENTER}`],
  ["an email address", `@example.org${ENTER}`],
  ["from (a date: 2026-11-30)", `2026-3-1${ENTER}`],
  ["a date", `${CLEAR}2026-03-01${ENTER}`],
  ["to (a date: 2026-11-30)", `2026-02-01${ENTER}`],
  ["guests (1 to 9)", `12${ENTER}`],
  ["9", `${CLEAR}${ENTER}`],
  ["note", ENTER],
];

describe.each(["this process", "a server"])("the contract of %s", (where) => {
  const env = (): Readonly<Record<string, string>> => (where === "a server" ? { TASKONAUT_API_URL: server.url } : {});

  test("each answer is checked at once, and after a refusal only what was wrong is asked for again", async () => {
    const terminal = await sandbox.terminal(["run-flow", "stay"], { env: env() });
    await talk(terminal, STAY);
    await terminal.see("to: is before the arrival");
    // the answer that was refused is there to be changed
    await talk(terminal, [["2026-02-01", `${CLEAR}2026-03-02${ENTER}`]]);
    await terminal.see("COMPLETED");
    expect(await terminal.exited()).toBe(0);
    const stay = { mail: "ada@example.org", from: "2026-03-01", to: "2026-03-02", guests: 2 };
    expect(await lastInput()).toEqual(stay);
    expect(terminal.shown.match(/mail: who gets the bill[^\n]*\n│ {2}ada@example.org\n/g)).toHaveLength(1);
  });

  test("where the same is refused twice, a person says what to change", async () => {
    const terminal = await sandbox.terminal(["run-flow", "stay"], { env: env() });
    await talk(terminal, STAY);
    await talk(terminal, [
      ["to: is before the arrival", ""],
      ["2026-02-01", ENTER],
      ["to: is before the arrival", ""],
      // `to` is the one that is offered first
      ["Which field do you want to change?", `\u001B[A${ENTER}`],
      ["from (a date: 2026-11-30)", `${CLEAR}2026-01-01${ENTER}`],
    ]);
    expect(await terminal.exited()).toBe(0);
    expect(await lastInput()).toMatchObject({ from: "2026-01-01", to: "2026-02-01" });
  });

  test("objects, lists, forms, entries, tuples and what holds itself are walked through", async () => {
    const terminal = await sandbox.terminal(["run-flow", "rich"], { env: env() });
    await talk(terminal, [
      ["size", `${DOWN}${DOWN}${ENTER}`],
      ["express", `${DOWN}${DOWN}${ENTER}`],
      ["gift", "y"],
      ["tags.0 (at most 5 characters)", `too long${ENTER}`],
      ["5", `${CLEAR}red${ENTER}`],
      ["tags: add another?", "y"],
      ["tags.1", `big${ENTER}`],
      ["tags: add another?", "n"],
      ["address: give it?", "y"],
      ["address.zip", `12${ENTER}`],
      [where === "a server" ? "must match" : "four digits", `34${ENTER}`],
      ["address.city", `Bern${ENTER}`],
      ["pay: which form?", ENTER],
      ["pay.number", `12${ENTER}`],
      ["4", `34${ENTER}`],
      ["stock: add an entry?", "y"],
      ["stock: name of the entry", `A1${ENTER}`],
      ["stock.A1", `many${ENTER}`],
      ["expected a number", `${CLEAR}3${ENTER}`],
      ["stock: add another entry?", "y"],
      ["stock: name of the entry", `A1${ENTER}`],
      ["there is an entry A1 already", `${CLEAR}B${ENTER}`],
      ["stock.B", `4${ENTER}`],
      ["stock: add another entry?", "n"],
      ["pair.0", `left${ENTER}`],
      ["pair.1", `7${ENTER}`],
      ["tree.name", `root${ENTER}`],
      ["tree.kids: add an item?", "y"],
      ["tree.kids.0.name", `leaf${ENTER}`],
      ["tree.kids.0.kids: add an item?", "n"],
      ["tree.kids: add another?", "n"],
      ["extra, as JSON", `text${ENTER}`],
      ["expected JSON", `${CLEAR}"text"${ENTER}`],
      ["made", ENTER],
      ['colors: change its default ["red"]?', "n"],
    ]);
    expect(await terminal.exited()).toBe(0);
    expect(await lastInput()).toEqual({
      size: "m",
      express: null,
      gift: true,
      tags: ["red", "big"],
      address: { zip: "1234", city: "Bern" },
      pay: { kind: "card", number: "1234" },
      stock: { A1: 3, B: 4 },
      pair: ["left", 7],
      tree: { name: "root", kids: [{ name: "leaf" }] },
      extra: "text",
      made: "by a function",
      colors: ["red"],
    });
  });
});

/** A server does not tell the contracts of tools: its output is given as JSON, and refused as a whole. */
const AS_JSON: Talk = [
  ["output, as JSON", `{"receipt":5}${ENTER}`],
  ["output.receipt", ""],
  ['{"receipt":5}', `${CLEAR}{"receipt":"R-17"}${ENTER}`],
];
const BY_FIELD: Talk = [
  ["receipt (at least 3 characters)", `R${ENTER}`],
  ["must have at least 3 characters", `-17${ENTER}`],
];

describe.each(["this process", "a server"])("a task of %s", (where) => {
  const env = (): Readonly<Record<string, string>> => (where === "a server" ? { TASKONAUT_API_URL: server.url } : {});

  test("is asked for its signal's payload, where the signal needs one", async () => {
    await sandbox.run(["run-flow", "asks"]);
    const nudge = await sandbox.terminal(["signal-task", "@last", "nudged"], { env: env() });
    expect(await nudge.exited()).toBe(0);
    const terminal = await sandbox.terminal(["signal-task", "@last", "approved"], { env: env() });
    await talk(terminal, [
      ["by (at least 2 characters)", `A${ENTER}`],
      ["must have at least 2 characters", `da${ENTER}`],
      ["level", `${DOWN}${ENTER}`],
    ]);
    await terminal.see("Signal approved is delivered");
    expect(await terminal.exited()).toBe(0);
    const task = JSON.parse((await sandbox.run(["run-task", "@last"])).stdout) as Task;
    expect(task.output_payload).toEqual({ by: "Ada", level: 2 });
  });

  test("in doubt asks how the step ended, and then for the output by the tool's contract", async () => {
    const { id } = JSON.parse((await sandbox.run(["run-flow", "doubtful"])).stdout) as Task;
    const left = await sandbox.terminal(["resolve", id], { env: env() });
    await talk(left, [["How did step 1 pay end?", "\u001B"]]);
    await left.see("Cancelled. Nothing was settled.");
    expect(await left.exited()).toBe(130);

    const terminal = await sandbox.terminal(["resolve", id], { env: env() });
    await talk(terminal, [["How did step 1 pay end?", ENTER], ...(where === "a server" ? AS_JSON : BY_FIELD)]);
    await terminal.see("The step is settled.");
    expect(await terminal.exited()).toBe(0);
    const task = JSON.parse((await sandbox.run(["run-task", id])).stdout) as Task;
    expect(task.output_payload).toEqual({ receipt: "R-17" });
  });
});

test("Ctrl-C in the middle of a list creates nothing", async () => {
  await using empty = await openSandbox();
  await empty.write("flows/flows.ts", FLOWS);
  const terminal = await empty.terminal(["run-flow", "rich"]);
  await talk(terminal, [
    ["size", ENTER],
    ["express", ENTER],
    ["gift", "y"],
    ["tags.0", `red${ENTER}`],
    ["tags: add another?", "\u0003"],
  ]);
  await terminal.see("Cancelled. No task was created.");
  expect(await terminal.exited()).toBe(130);
  expect(JSON.parse((await empty.run(["get-tasks"])).stdout)).toEqual([]);
});

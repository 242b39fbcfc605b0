import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Schema } from "./contract.ts";
import { defineFlow } from "./flow.ts";
import { defineTool } from "./tool.ts";

function refusalOf(define: () => unknown): string | undefined {
  try {
    define();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const flow = (input: unknown): string | undefined =>
  refusalOf(() => defineFlow({ name: "f", input: input as Schema, plan: () => [] }));
const signal = (schema: Schema): string | undefined =>
  refusalOf(() => defineFlow({ name: "f", input: v.object({}), signals: { go: schema }, plan: () => [] }));
const takes = (input: unknown): string | undefined =>
  refusalOf(() => defineTool({ name: "t", input: input as Schema, output: v.any(), run: () => 1 }));
const gives = (output: unknown): string | undefined =>
  refusalOf(() => defineTool({ name: "t", input: v.any(), output: output as Schema, run: () => 1 }));

const toDate = v.pipe(
  v.string(),
  v.transform((text) => new Date(text)),
);
const fromDate = v.pipe(
  v.date(),
  v.transform((date) => date.toISOString()),
);

describe("a contract that no JSON can keep is refused where it is defined, with its place and what to write", () => {
  test.each<[string, Schema, string]>([
    [
      "a date",
      v.object({ at: v.date() }),
      "Flow f: input at at is v.date(), and JSON has no such value. Write v.pipe(",
    ],
    ["a bigint", v.object({ n: v.bigint() }), "at n is v.bigint()"],
    ["a map", v.map(v.string(), v.number()), "Flow f: input is v.map()"],
    ["a set in a list", v.object({ a: v.array(v.set(v.string())) }), "at a.* is v.set()"],
    ["a symbol in a tuple", v.tuple([v.string(), v.symbol()]), "at 1 is v.symbol()"],
    ["an instance in a record", v.record(v.string(), v.instance(URL)), "at * is v.instance()"],
    ["a file", v.object({ f: v.file() }), "at f is v.file()"],
    ["a function", v.object({ f: v.function() }), "at f is v.function()"],
    ["a promise", v.object({ p: v.promise() }), "at p is v.promise()"],
    ["nothing at all", v.undefined(), "is v.undefined()"],
    ["a literal", v.object({ n: v.literal(5n) }), "at n is v.bigint()"],
    ["a literal that is no number", v.literal(Number.NaN), "is v.literal(NaN)"],
    ["a literal without an end", v.object({ n: v.literal(Infinity) }), "at n is v.literal(Infinity)"],
    ["every word of a list", v.picklist([5n, 6n]), "is v.bigint()"],
    ["a field that may be left out", v.object({ at: v.optional(v.date(), () => new Date()) }), "at at is v.date()"],
    ["the start of a pipe", v.pipe(v.date(), v.maxValue(new Date(5))), "is v.date()"],
    ["the end of a pipe", v.pipe(v.unknown(), v.date()), "is v.date()"],
    ["what a pipe makes", v.object({ at: v.pipe(v.string(), v.toDate()) }), "at at is v.date()"],
    ["every option of a union", v.union([v.date(), v.bigint()]), "is v.date()"],
    ["one part of an intersection", v.intersect([v.object({}), v.object({ at: v.date() })]), "at at is v.date()"],
    ["every form of a variant", v.variant("k", [v.object({ k: v.literal("a"), at: v.date() })]), "at at is v.date()"],
    ["a lazy one", v.object({ x: v.lazy(() => v.date()) }), "at x is v.date()"],
  ])("%s", (_what, schema, message) => {
    expect(flow(schema)).toContain(message);
    expect(signal(schema)).toContain(message.replace("Flow f: input", "Flow f: signal go"));
  });

  test.each<[string, Schema, string]>([
    ["never", v.never(), "Flow f: input is v.never(), which no value satisfies."],
    ["a field that is needed", v.object({ a: v.object({ b: v.never() }) }), "at a.b is v.never()"],
    ["a place of a tuple", v.tuple([v.string(), v.never()]), "at 1 is v.never()"],
    ["a step of a pipe", v.object({ a: v.pipe(v.string(), v.never(), v.string()) }), "at a is v.never()"],
    ["every option of a union", v.union([v.never(), v.object({ a: v.never() })]), "is v.never()"],
    ["one part of an intersection", v.intersect([v.object({}), v.never()]), "is v.never()"],
    ["every form of a variant", v.variant("k", [v.object({ k: v.literal("a"), b: v.never() })]), "at b is v.never()"],
    ["what must be there, and is nothing", v.nonOptional(v.undefined()), "is v.undefined()"],
    ["what must be there, and cannot", v.nonOptional(v.optional(v.object({ a: v.never() }))), "at a is v.never()"],
    ["a lazy one", v.object({ x: v.lazy(() => v.never()) }), "at x is v.never()"],
    ["words of which there are none", v.picklist([]), "is v.picklist() of nothing, which no value satisfies."],
    ["members of which there are none", v.object({ e: v.enum({}) }), "at e is v.enum() of nothing"],
    ["options of which there are none", v.union([]), "is v.union() of nothing"],
    ["forms of which there are none", v.variant("k", []), "is v.variant() of nothing"],
    ["an intersection of nothing", v.intersect([]), "is v.intersect() of nothing"],
  ])("nor any value satisfy: %s", (_what, schema, message) => {
    expect(flow(schema)).toContain(message);
    for (const refusal of [signal(schema), takes(schema), gives(schema)]) expect(refusal).toBeString();
  });

  test("of a tool: what it takes on one side, what it gives on the other", () => {
    expect(takes(v.object({ at: v.date() }))).toStartWith("Tool t: input at at is v.date()");
    expect(gives(v.object({ at: v.date() }))).toStartWith("Tool t: output at at is v.date()");
    expect(gives(toDate)).toBeUndefined(); // nobody knows what it makes
    expect([takes(toDate), gives(fromDate)]).toEqual([undefined, undefined]);
    expect(takes(fromDate)).toContain("v.date()");
  });

  test("of a list of words one is enough", () => {
    expect(flow(v.picklist([5n, 6]))).toBeUndefined();
  });

  test("what can be kept passes", () => {
    const tree: Schema = v.object({ children: v.optional(v.array(v.lazy(() => tree))) });
    const schemas = [tree, toDate, v.any(), v.union([v.string(), v.date()]), v.nullish(v.picklist(["a"]), "a")];
    schemas.push(
      v.object({ a: v.optional(v.never()), b: v.literal(1), c: v.custom<URL>(() => true), e: v.enum({ A: 1 }) }),
    );
    schemas.push(
      v.array(v.never()),
      v.record(v.string(), v.picklist([])),
      v.nullable(v.never()),
      v.objectWithRest({ a: v.string() }, v.never()),
      v.tupleWithRest([v.string()], v.never()),
      v.union([v.string(), v.never()]),
    );
    for (const schema of schemas)
      expect([flow(schema), takes(schema), gives(schema)]).toEqual([undefined, undefined, undefined]);
    expect([takes(v.undefined()), gives(v.void())]).toEqual([undefined, undefined]); // `call(tool, undefined)`; a tool that gives nothing
  });

  test("a field that is called __proto__, which would become the prototype of the fields", () => {
    const fields = { a: v.string(), __proto__: v.string() } as Record<string, v.GenericSchema>;
    expect(flow(v.object(fields))).toStartWith("Flow f: input has a field that is called __proto__");
    expect(flow(v.object({ b: v.object(fields) }))).toStartWith("Flow f: input at b has a field");
    expect(flow(v.object({ a: v.string() }))).toBeUndefined();
  });

  test("what is no synchronous schema, at whatever depth", () => {
    const message = "must be a synchronous valibot schema.";
    expect(flow({})).toBe(`Flow f: input ${message}`);
    expect(takes(null)).toBe(`Tool t: input ${message}`);
    expect(gives(v.objectAsync({}))).toBe(`Tool t: output ${message}`);
    expect(takes(v.object({ a: v.objectAsync({}) as never }))).toBe(`Tool t: input at a ${message}`);
    expect(
      flow(
        v.pipeAsync(
          v.string(),
          v.checkAsync(async () => true),
        ),
      ),
    ).toBe(`Flow f: input ${message}`);
  });
});

test("a tool with an unknown guarantee, or without a function, is refused where it is defined", () => {
  const define = (more: object): string | undefined =>
    refusalOf(() => defineTool({ name: "t", input: v.any(), output: v.any(), run: () => 1, ...more }));
  expect(define({ execution: "exactly-once" })).toContain('execution must be "pure" or "at-least-once"');
  expect(define({ run: 5 })).toContain("run must be a function");
});

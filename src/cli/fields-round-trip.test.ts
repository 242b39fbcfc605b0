// What is written as flags of an input reads back as that input, whatever the input is and however it is written.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../core/record/json-value.ts";
import { readArgv } from "./argv.ts";
import { findTyped, isSwitch } from "./field-place.ts";
import { readFields } from "./input-fields.ts";
import type { JsonSchema } from "./json-schema.ts";
import { settleArgv } from "./settle-argv.ts";
import { runFlow } from "./commands/run-flow.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { ECHO_ADD } from "../../test/support/fake-flows.ts";

/** A value, a contract that it keeps, and how it can be typed. */
interface Sample {
  readonly schema: JsonSchema;
  readonly value: Json;
  /** What a field of its own is given for it; undefined where no text says it. */
  readonly text: string | undefined;
  readonly fields?: readonly (readonly [string, Sample])[];
  readonly items?: readonly Sample[];
}

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "",
    "--help",
    "--json",
    "--",
    "-5",
    "007",
    "true",
    "null",
    "[",
    " [1]",
    '["a"]',
    "{}",
    "=",
    "--a",
    "--mode=run",
  ),
);

/** Larger whole numbers are refused wherever they stand. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
}

const scalar: fc.Arbitrary<Sample> = fc.oneof(
  text.map((value) => ({ schema: { type: "string" }, value, text: value })),
  fc.maxSafeInteger().map((value) => ({ schema: { type: "integer" }, value, text: String(value) })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
    .map((value) => value || 0) // -0 is not kept by JSON
    .map((value) => ({ schema: { type: "number" }, value, text: JSON.stringify(value) })),
  fc.boolean().map((value) => ({ schema: { type: "boolean" }, value, text: String(value) })),
  fc
    .constantFrom("s", "m", "--gift")
    .map((value) => ({ schema: { enum: ["s", "m", "--gift"], type: "string" }, value, text: value })),
  fc
    .jsonValue({ maxDepth: 2, noUnicodeString: false })
    .map((value) => JSON.parse(JSON.stringify(value), exactly) as Json)
    .map((value) => ({ schema: {}, value, text: JSON.stringify(value) })),
);

const name = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "gift",
    "zip",
    "A_b",
    "no-gift",
    "a.b",
    "a.b.c",
    "0",
    "1",
    "input",
    "mode",
    "json",
    "help",
    "__proto__",
  ),
  fc.string({ minLength: 1, maxLength: 5 }),
);

const { sample: anySample } = fc.letrec<{ sample: Sample; object: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    tie("object"),
    listOf(tie("sample")),
    tie("sample").chain((inner) => fc.constantFrom(nullable(inner), nullable({ ...inner, value: null, text: "null" }))),
    fc.dictionary(name, fc.maxSafeInteger(), { maxKeys: 3 }).map(recordOf),
  ),
  object: objectOf(tie("sample")),
}));

function objectOf(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> {
  const field = fc.record({ name, sample: inner, isGiven: fc.boolean() });
  return fc.uniqueArray(field, { maxLength: 4, selector: (each) => each.name }).map((all) => {
    const given = all.filter(({ isGiven }) => isGiven);
    const value = Object.fromEntries(given.map((each) => [each.name, each.sample.value]));
    return {
      schema: {
        type: "object",
        properties: Object.fromEntries(all.map((each) => [each.name, each.sample.schema])),
        required: given.map((each) => each.name),
        additionalProperties: false,
      },
      value,
      text: JSON.stringify(value),
      fields: given.map((each) => [each.name, each.sample] as const),
    };
  });
}

function recordOf(record: Record<string, number>): Sample {
  const fields = Object.entries(record).map(
    ([key, value]) => [key, { schema: { type: "integer" }, value, text: String(value) }] as const,
  );
  const schema = { type: "object", additionalProperties: { type: "integer" } };
  return {
    schema,
    value: Object.fromEntries(fields.map(([key, { value }]) => [key, value])),
    text: JSON.stringify(record),
    fields,
  };
}

/** Several items of one kind: that of the first. */
function listOf(inner: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> {
  return fc.tuple(inner, fc.nat(3)).map(([item, count]) => {
    const items = Array.from({ length: count }, () => item);
    const value = items.map((each) => each.value);
    return { schema: { type: "array", items: item.schema }, value, text: JSON.stringify(value), items };
  });
}

function nullable(inner: Sample): Sample {
  const schema = { anyOf: [inner.schema, { type: "null" }] };
  if (inner.value === null) return { schema, value: null, text: "null" };
  const isText = typeof inner.value === "string";
  return { ...inner, schema, text: isText && /^\s*null\s*$/.test(inner.value) ? undefined : inner.text };
}

type Choose = (count: number) => number;

/** The words of flags that say it, in one of the ways there are; undefined where only a whole around it can. */
function write(
  root: JsonSchema,
  keys: readonly (string | number)[],
  sample: Sample,
  choose: Choose,
): string[] | undefined {
  const flag = flagOf(root, keys);
  const ways: (() => string[] | undefined)[] = [
    () => (flag === undefined || sample.text === undefined ? undefined : writeText(root, flag, sample, choose)),
    () => writeAll(root, keys, sample.fields, choose),
    () =>
      writeAll(
        root,
        keys,
        sample.items?.map((item, place) => [place, item] as const),
        choose,
      ),
    () => (flag === undefined ? undefined : writeAgain(flag, sample.items, choose)),
  ];
  const first = choose(ways.length);
  for (let n = 0; n < ways.length; n++) {
    const words = ways[(first + n) % ways.length]?.();
    if (words) return words;
  }
  return undefined;
}

function writeText(root: JsonSchema, flag: string, sample: Sample, choose: Choose): string[] {
  const { schema, value, text: typed = "" } = sample;
  const alone = value === true ? flag : `--no-${flag.slice(2)}`;
  const isAlone =
    typeof value === "boolean" && isSwitch(schema) && findTyped(root, alone.slice(2))?.isNegated === !value;
  if (isAlone && choose(2) === 1) return [alone];
  return choose(2) === 1 ? [`${flag}=${typed}`] : [flag, typed];
}

/** Field by field, or place by place. */
function writeAll(
  root: JsonSchema,
  keys: readonly (string | number)[],
  parts: readonly (readonly [string | number, Sample])[] | undefined,
  choose: Choose,
): string[] | undefined {
  if (!parts?.length) return undefined;
  const all = parts.map(([key, part]) => write(root, [...keys, key], part, choose));
  return all.every((words) => words !== undefined) ? all.flat() : undefined;
}

/** The flag again for each item. */
function writeAgain(flag: string, items: Sample["items"], choose: Choose): string[] | undefined {
  if (!items?.length) return undefined;
  const isPlain = items.every(({ schema, text: typed }) => {
    const isOther = "type" in schema && typeof schema["type"] === "string" && schema["type"] !== "array";
    return isOther && typed !== undefined && typed !== "null" && !typed.trimStart().startsWith("[");
  });
  return isPlain
    ? items.flatMap(({ text: typed = "" }) => (choose(2) === 1 ? [`${flag}=${typed}`] : [flag, typed]))
    : undefined;
}

const OPTION_NAMES = [...runFlow.options, ...GLOBAL_OPTIONS].map((option) => option.name);

/** Undefined where no flag leads there: two names make the same path, or one holds what flags use for themselves. */
function flagOf(root: JsonSchema, keys: readonly (string | number)[]): string | undefined {
  const path = keys.join(".");
  const typed = OPTION_NAMES.includes(path) || path.startsWith("input.") ? `input.${path}` : path;
  const found = path === "" || path.includes("=") ? undefined : findTyped(root, typed);
  return found && !found.isNegated && JSON.stringify(found.keys) === JSON.stringify(keys) ? `--${typed}` : undefined;
}

test("an input reads back from any flags that say it", async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(objectOf(anySample), fc.infiniteStream(fc.nat()), async (input, chances) => {
      const choose: Choose = (count) => (chances.next().value ?? 0) % count;
      const words = input.fields?.length ? writeAll(input.schema, [], input.fields, choose) : undefined;
      if (!words) return;
      written++;
      const flow = { ...ECHO_ADD, name: "order", input_schema: input.schema };
      const reading = await settleArgv(["run-flow", "order", ...words], [runFlow], GLOBAL_OPTIONS, async () => flow);
      expect({ words, problems: reading.problems, flags: [...reading.flags], args: reading.args }).toEqual({
        words,
        problems: [],
        flags: [],
        args: ["order"],
      });
      expect(readFields(flow, reading.fields, runFlow.options)).toEqual(input.value as Record<string, Json>);
    }),
    { numRuns: 1000 },
  );
  expect(written).toBeGreaterThan(300);
});

test("any words at all are read, or refused as a mistake of the command line", () => {
  const word = fc.oneof(
    text,
    fc.constantFrom("--a", "--a.b", "--no-a", "--list", "--list.0", "--list.1.x", "--input.a", "x"),
  );
  const schema = {
    type: "object",
    properties: { a: { type: "boolean" }, list: { type: "array", items: { type: "object", properties: { x: {} } } } },
  };
  const flow = { ...ECHO_ADD, input_schema: schema };
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const { fields } = readArgv(["run-flow", ...words], [runFlow], GLOBAL_OPTIONS);
      try {
        readFields(flow, fields, runFlow.options);
      } catch (error) {
        expect(error).toMatchObject({ code: "usage" });
      }
    }),
  );
});

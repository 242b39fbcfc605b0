// Turns the typed fields of a flow's input into the JSON that the flow's input_schema asks for. It only reads the text, and
// rounds and guesses nothing. createTask checks whether the input fits the contract.

import { describeViolations, TaskonautError, type Violation } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";
import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { suggest } from "../core/nearest.ts";
import { assembleInput, type Part } from "./assemble-input.ts";
import type { Option } from "./option.ts";
import { findTyped, isSwitch, type Place, type TypedPlace } from "./field-place.ts";
import { formOf } from "./input-form.ts";
import { itemOf, type JsonSchema, typeOfJson, typesOf } from "./json-schema.ts";
import { listFields } from "./list-fields.ts";
import { OPTION_SYNONYMS } from "./synonyms.ts";
import { usageError } from "./usage.ts";

type FieldResult = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly message: string };

/** A field as it was typed: what stands after its dashes, and its text where it has one. */
export type FieldToken = readonly [typed: string, text: string | undefined];

/** The input that the fields make. Throws usage, with every problem at once. */
export function readFields(
  flow: FlowDescription,
  tokens: Iterable<FieldToken>,
  options: readonly Option[],
): Record<string, Json> {
  const given = new Map<string, GivenField>();
  for (const [typed, text] of tokens) {
    const place = findTyped(flow.input_schema, typed);
    const key = place ? JSON.stringify(place.keys) : typed;
    const { texts = [], fault } = given.get(key) ?? {};
    given.set(key, {
      flag: `--${typed}`,
      place,
      texts: [...texts, place?.isNegated ? "false" : text],
      fault: fault ?? (place ? faultOfNegated(place, typed, text) : tellUnknown(flow, typed, options)),
    });
  }
  const problems: Violation[] = [];
  const parts: Part[] = [];
  for (const { flag, place, texts, fault } of given.values()) {
    const result: FieldResult = place && fault === undefined ? readTexts(place.schema, texts) : no(fault ?? "");
    if (!result.ok) problems.push({ path: flag, message: result.message });
    if (place) parts.push({ keys: place.keys, flag, value: result.ok ? result.value : null });
  }
  const input = parts.length === 0 ? {} : assembleInput(parts, problems);
  if (problems.length > 0) throw usageError(problems);
  return input as Record<string, Json>;
}

/** Everything that was typed for one place of the input, or for a name that the input does not have. */
interface GivenField {
  /** As it was typed last. */
  readonly flag: string;
  readonly place: Place | undefined;
  /** Undefined: the flag stood alone. */
  readonly texts: readonly (string | undefined)[];
  readonly fault: string | undefined;
}

function faultOfNegated({ isNegated }: TypedPlace, typed: string, text: string | undefined): string | undefined {
  if (!isNegated || text === undefined) return undefined;
  return `takes no value; write --${typed.slice("no-".length)}=${text}`;
}

function tellUnknown({ name, input_schema }: FlowDescription, typed: string, options: readonly Option[]): string {
  const affirmed = typed.startsWith("no-") ? typed.slice("no-".length) : undefined;
  if (affirmed !== undefined && findTyped(input_schema, affirmed))
    return `only fields that are true or false have a --no- form, and --${affirmed} is none`;
  const facts = listFields(input_schema);
  const above = facts.flatMap(({ path }) =>
    path.split(".").map((_, index, keys) => keys.slice(0, index + 1).join(".")),
  );
  const denied = facts.filter(({ kind, repeatable }) => kind === "boolean" && !repeatable);
  const known = [...new Set(above), ...denied.map(({ path }) => `no-${path}`), ...options.map((option) => option.name)];
  const hint = suggest(
    `--${typed}`,
    known.map((each) => `--${each}`),
    OPTION_SYNONYMS,
  );
  return `flow ${name} has no such field${hint || tellFields([...formOf(input_schema).fields.keys()])}`;
}

function tellFields(names: readonly string[]): string {
  return names.length === 0 ? "; give the whole input with --input" : `; its fields are ${names.join(", ")}`;
}

const MISSING = "a value is missing";

/** What one field was given: of a list, once for each item. */
function readTexts(schema: JsonSchema, texts: readonly (string | undefined)[]): FieldResult {
  const given = texts.filter((text) => text !== undefined);
  if (itemOf(schema, 0) === undefined) {
    if (texts.length > 1) return no("given more than once");
    const [text] = given;
    if (text === undefined) return isSwitch(schema) ? { ok: true, value: true } : no(MISSING);
    return readField(schema, text);
  }
  const [first] = given;
  if (first === undefined || given.length < texts.length) return no(MISSING);
  return texts.length === 1 ? readList(schema, first) : readItems(schema, given);
}

/** A list as JSON, or one item of it; or another value, if the contract takes that too. */
function readList(schema: JsonSchema, text: string): FieldResult {
  const types = typesOf(schema);
  if (isListText(text) || types.includes("string")) return readField(schema, text);
  const result = readJson(text);
  return result.ok && isOneOf(types, result.value) ? result : readItems(schema, [text]);
}

function readItems(schema: JsonSchema, texts: readonly string[]): FieldResult {
  const items: Json[] = [];
  for (const [place, text] of texts.entries()) {
    const item = itemOf(schema, place) ?? {};
    const types = typesOf(item);
    const isWhole = isListText(text) && types.length > 0 && !types.includes("array");
    if (isWhole || (text === "null" && typesOf(schema).includes("null") && !types.includes("null")))
      return no(`${JSON.stringify(text)} is not a valid item: give the whole list once, or its items one by one`);
    const result = readField(item, text);
    if (!result.ok) return result;
    items.push(result.value);
  }
  return { ok: true, value: items };
}

/** Text that begins like a JSON list is one: a mistake in it does not make it a plain text. */
function isListText(text: string): boolean {
  return text.trimStart().startsWith("[");
}

/** Text as it was typed for a string, decimal text for a number, true or false, and JSON text for all else. */
export function readField(schema: JsonSchema, text: string): FieldResult {
  const types = typesOf(schema);
  const reader = types.length === 1 ? READERS.get(types[0] ?? "") : undefined;
  if (reader) return reader(text);
  const result = readJson(text);
  const isWanted = result.ok && isOneOf(types, result.value);
  // a string among other types: `null` and `5` are what they look like, if the schema has a null or a number
  if (types.includes("string") && (!isWanted || typeof result.value === "string")) return { ok: true, value: text };
  return result;
}

/** Of no types: of any. */
function isOneOf(types: readonly string[], value: Json): boolean {
  if (types.length === 0 || types.includes(typeOfJson(value))) return true;
  return types.includes("integer") && Number.isInteger(value);
}

const INTEGER = /^-?\d+$/;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

const READERS: ReadonlyMap<string, (text: string) => FieldResult> = new Map([
  ["string", (text: string): FieldResult => ({ ok: true, value: text })],
  ["integer", (text: string) => readDecimal("an integer", INTEGER, text)],
  ["number", (text: string) => readDecimal("a number", NUMBER, text)],
  ["boolean", readBoolean],
]);

function readBoolean(text: string): FieldResult {
  return text === "true" || text === "false" ? { ok: true, value: text === "true" } : refuse("true or false", text);
}

/** Exact, or refused. Leading zeros are allowed, although JSON has none. */
function readDecimal(expected: string, form: RegExp, text: string): FieldResult {
  return form.test(text) ? readJson(text.replace(/^(-?)0+(?=\d)/, "$1")) : refuse(expected, text);
}

function readJson(text: string): FieldResult {
  try {
    return { ok: true, value: parseExactJson(text) as Json };
  } catch (error) {
    if (!(error instanceof TaskonautError)) throw error;
    return error.code === "body_invalid"
      ? refuse("JSON", text)
      : { ok: false, message: describeViolations(error.errors) };
  }
}

function no(message: string): FieldResult {
  return { ok: false, message };
}

function refuse(expected: string, text: string): FieldResult {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return no(`expected ${expected}, got ${JSON.stringify(shown)}`);
}

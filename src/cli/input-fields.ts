// Fields of a flow's input, from the text that was typed to the JSON that the flow's input_schema asks for. Whether the
// input keeps the contract is for createTask to say; here only the text is read, and nothing is rounded or guessed.

import { describeViolations, TaskonautError, type Violation } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";
import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { Option } from "./command.ts";
import { suggest } from "../core/nearest.ts";
import { usageError } from "./usage.ts";

export type JsonSchema = { readonly [key: string]: Json };

export type FieldResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly message: string };

/** The input that the fields make. Throws usage, with every violation at once. */
export function readFields(
  flow: FlowDescription,
  fields: ReadonlyMap<string, string>,
  options: readonly Option[],
): Record<string, Json> {
  const form = formOf(flow.input_schema);
  const problems: Violation[] = [];
  const entries: [string, Json][] = [];
  for (const [name, text] of fields) {
    const schema = form.fields.get(name) ?? form.others;
    if (schema === undefined) {
      const known = [...form.fields.keys(), ...options.map((option) => option.name)].map((each) => `--${each}`);
      const hint = suggest(`--${name}`, known) || tellFields(form);
      problems.push({ path: `--${name}`, message: `flow ${flow.name} has no such field${hint}` });
      continue;
    }
    const result = readField(schema, text);
    if (result.ok) entries.push([name, result.value]);
    else problems.push({ path: `--${name}`, message: result.message });
  }
  if (problems.length > 0) throw usageError(problems);
  return Object.fromEntries(entries); // not by assignment: a field may be called __proto__
}

function tellFields({ fields }: InputForm): string {
  return fields.size === 0
    ? "; give the whole input with --input"
    : `; its fields are ${[...fields.keys()].join(", ")}`;
}

/** What an input may have, whichever of its forms it takes. */
export interface InputForm {
  readonly fields: ReadonlyMap<string, JsonSchema>;
  /** Those that every form needs. */
  readonly required: ReadonlySet<string>;
  /** Those that only some of the forms have. */
  readonly partial: ReadonlySet<string>;
  /** For an input that takes fields of any name; undefined for all others. */
  readonly others: JsonSchema | undefined;
}

/** Of an object; of several that are all to be kept (allOf); of several of which one is to be kept (anyOf, oneOf). */
export function formOf(schema: JsonSchema): InputForm {
  const parts = listOf(schema["allOf"]).map(formOf);
  const options = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])].filter(isObjectForm).map(formOf);
  if (options.length > 0) parts.push(oneFormOf(options));
  const { properties, required, additionalProperties: others } = schema;
  const own = isObject(properties) ? Object.entries(properties) : [];
  return {
    fields: new Map([
      ...parts.flatMap(({ fields }) => [...fields]),
      ...own.map(([name, field]) => [name, isObject(field) ? field : {}] as const),
    ]),
    required: new Set([
      ...parts.flatMap((part) => [...part.required]),
      ...(Array.isArray(required) ? required.map(String) : []),
    ]),
    partial: new Set(parts.flatMap(({ partial }) => [...partial])),
    others: isObject(others) ? others : others === true ? {} : parts.find((part) => part.others)?.others,
  };
}

function oneFormOf(options: readonly InputForm[]): InputForm {
  const names = [...new Set(options.flatMap(({ fields }) => [...fields.keys()]))];
  return {
    fields: new Map(names.map((name) => [name, oneSchemaOf(fieldsNamed(name, options))])),
    required: new Set(names.filter((name) => options.every(({ required }) => required.has(name)))),
    partial: new Set(
      names.filter((name) => options.some(({ fields, partial }) => !fields.has(name) || partial.has(name))),
    ),
    others: options.find(({ others }) => others)?.others,
  };
}

function fieldsNamed(name: string, options: readonly InputForm[]): JsonSchema[] {
  return options.map(({ fields }) => fields.get(name)).filter((field) => field !== undefined);
}

/** Words that one of several forms has are the words of all of them. */
function oneSchemaOf(schemas: readonly JsonSchema[]): JsonSchema {
  const [first = {}, ...rest] = schemas;
  if (rest.every((schema) => JSON.stringify(schema) === JSON.stringify(first))) return first;
  const words = schemas.map(wordsOf);
  return words.every((each) => each !== undefined) ? { enum: [...new Set(words.flat())] } : { anyOf: [...schemas] };
}

function wordsOf(schema: JsonSchema): Json[] | undefined {
  if ("const" in schema) return [schema["const"] ?? null];
  const words = schema["enum"];
  return Array.isArray(words) ? words.map((word: Json) => word) : undefined;
}

function isObjectForm(schema: JsonSchema): boolean {
  return ["properties", "allOf", "anyOf", "oneOf", "additionalProperties"].some((key) => key in schema);
}

function listOf(schemas: Json | undefined): readonly JsonSchema[] {
  return Array.isArray(schemas) ? schemas.filter((each: Json): each is JsonSchema => isObject(each)) : [];
}

/** Text as it was typed for a string, decimal text for a number, true or false, and JSON text for all else. */
export function readField(schema: JsonSchema, text: string): FieldResult {
  const types = typesOf(schema);
  const reader = types.length === 1 ? READERS.get(types[0] ?? "") : undefined;
  if (reader) return reader(text);
  const result = readJson(text);
  const isWanted = result.ok && (types.length === 0 || types.includes(typeOfJson(result.value)));
  // a string among other types: `null` and `5` are what they look like, if the schema has a null or a number
  if (types.includes("string") && (!isWanted || typeof result.value === "string")) return { ok: true, value: text };
  return result;
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

/** Exact, or refused. Leading zeros, which JSON does not know, say nothing and are taken. */
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

function refuse(expected: string, text: string): FieldResult {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return { ok: false, message: `expected ${expected}, got ${JSON.stringify(shown)}` };
}

/** The JSON types that a schema takes, as far as it says so on its face; none: any. */
function typesOf(schema: JsonSchema): string[] {
  const { type, anyOf, oneOf } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((each) => typeof each === "string");
  const members = anyOf ?? oneOf;
  if (Array.isArray(members))
    return [...new Set(members.flatMap((each: Json) => (isObject(each) ? typesOf(each) : [])))];
  if ("const" in schema) return [typeOfJson(schema["const"] ?? null)];
  return Array.isArray(schema["enum"]) ? [...new Set(schema["enum"].map(typeOfJson))] : [];
}

function typeOfJson(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return "number";
  return typeof value;
}

function isObject(value: Json | undefined): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

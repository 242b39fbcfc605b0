// Fields of a flow's input, from the text that was typed to the JSON that the flow's input_schema asks for. Whether the
// input keeps the contract is for createTask to say; here only the text is read, and nothing is rounded or guessed.

import { describeViolations, TaskonautError, type Violation } from "../core/errors.ts";
import { parseExactJson } from "../core/record/exact-json.ts";
import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { Option } from "./command.ts";
import { suggest } from "../core/nearest.ts";
import { formOf, type InputForm } from "./input-form.ts";
import { type JsonSchema, typeOfJson, typesOf } from "./json-schema.ts";
import { usageError } from "./usage.ts";

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

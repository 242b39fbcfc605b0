// The fields that an object may have in any of its forms, by its JSON Schema.

import type { Json } from "../core/record/json-value.ts";
import { isSchema, type JsonSchema, optionsOf, schemasUnder, schemaWithin, wordsOf } from "./json-schema.ts";

/** The fields that an input may have in any of its forms. */
export interface InputForm {
  readonly fields: ReadonlyMap<string, JsonSchema>;
  /** Those that every form needs. */
  readonly required: ReadonlySet<string>;
  /** Those that only some of the forms have. */
  readonly partial: ReadonlySet<string>;
  /** For an input that takes fields of any name; undefined for all others. */
  readonly others: JsonSchema | undefined;
}

/** Takes the schema of an object, or of several: all of them apply (allOf), or one of them (anyOf, oneOf). */
export function formOf(schema: JsonSchema): InputForm {
  const parts = schemasUnder(schema, "allOf").map(formOf);
  const options = optionsOf(schema).filter(isObjectForm).map(formOf);
  if (options.length > 0) parts.push(oneFormOf(options));
  const { properties, required, additionalProperties: others } = schema;
  const own = isSchema(properties) ? Object.entries(properties) : [];
  return {
    fields: new Map([
      ...parts.flatMap(({ fields }) => [...fields]),
      ...own.map(([name, field]) => [name, schemaWithin(schema, field)] as const),
    ]),
    required: new Set([
      ...parts.flatMap((part) => [...part.required]),
      ...(Array.isArray(required) ? required.map(String) : []),
    ]),
    partial: new Set(parts.flatMap(({ partial }) => [...partial])),
    others:
      isSchema(others) || others === true ? schemaWithin(schema, others) : parts.find((part) => part.others)?.others,
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

/** If several forms list words for a field, the field has the words of all of them. */
function oneSchemaOf(schemas: readonly JsonSchema[]): JsonSchema {
  const [first = {}, ...rest] = schemas;
  if (rest.every((schema) => JSON.stringify(schema) === JSON.stringify(first))) return first;
  const words = schemas.map(wordsOf);
  if (words.every((each) => each !== undefined)) return { enum: [...new Set<Json>(words.flat())] };
  const { $defs } = first;
  return $defs === undefined ? { anyOf: [...schemas] } : { anyOf: [...schemas], $defs };
}

/** Whether it says something of an object's fields. */
export function isObjectForm(schema: JsonSchema): boolean {
  const { properties, additionalProperties: others } = schema;
  if (isSchema(properties) || isSchema(others) || others === true) return true;
  return [...optionsOf(schema), ...schemasUnder(schema, "allOf")].some(isObjectForm);
}

// The fields of a flow's input as a person types them: what the help lists.

import type { Json } from "../core/record/json-value.ts";
import { formOf, isObjectForm } from "./input-form.ts";
import { itemOf, type JsonSchema, typesOf, wordsOf } from "./json-schema.ts";

/** What a person types: plain text, a decimal number, true or false (or the flag alone), or JSON. */
type FieldKind = "text" | "integer" | "number" | "boolean" | "json";

export interface FieldFacts {
  /** What stands after the dashes: `address.zip`; of fields of any name, `<name>` stands for it. */
  readonly path: string;
  /** Of a list: what each of its items is. */
  readonly kind: FieldKind;
  /** A list: given again, the field adds an item. */
  readonly repeatable: boolean;
  /** Whether `null` may be typed. */
  readonly nullable: boolean;
  /** The contract wants it, and every object that it stands in. */
  readonly required: boolean;
  /** Only some of the input's forms have it, or an object that it stands in. */
  readonly partial: boolean;
  readonly default: Json | undefined;
  /** "" where the contract has none. */
  readonly description: string;
  /** The values that are allowed, where the contract lists them; of a list, those of an item. */
  readonly choices: readonly Json[] | undefined;
  /** The whole of what the contract says of it. */
  readonly schema: JsonSchema;
}

/** Lists the fields of nested objects too, in the order of the contract. It does not enter lists and recursive schemas. */
export function listFields(schema: JsonSchema): readonly FieldFacts[] {
  return listWithin(schema, { path: "", required: true, partial: false, depth: 0 });
}

interface Above {
  readonly path: string;
  readonly required: boolean;
  readonly partial: boolean;
  readonly depth: number;
}

/** Deeper objects are given as JSON, or by a path that the user knows: contracts may be recursive. */
const DEPTH_MAX = 4;

function listWithin(schema: JsonSchema, above: Above): readonly FieldFacts[] {
  const { fields, required, partial, others } = formOf(schema);
  const facts = [...fields].flatMap(([name, field]) =>
    listField(field, {
      path: joinPath(above.path, name),
      required: above.required && required.has(name) && !("default" in field),
      partial: above.partial || partial.has(name),
      depth: above.depth + 1,
    }),
  );
  if (!others) return facts;
  return [
    ...facts,
    ...listField(others, { ...above, path: joinPath(above.path, "<name>"), required: false, depth: above.depth + 1 }),
  ];
}

function listField(schema: JsonSchema, at: Above): readonly FieldFacts[] {
  const isWalked = isObjectForm(schema) && at.depth < DEPTH_MAX && itemOf(schema, 0) === undefined;
  const within = isWalked ? listWithin(schema, at) : [];
  return within.length > 0 ? within : [factsOf(schema, at)];
}

function factsOf(schema: JsonSchema, { path, required, partial }: Above): FieldFacts {
  const { description, default: initial } = schema;
  const item = itemOf(schema, 0);
  const types = typesOf(schema);
  return {
    path,
    kind: kindOf(item ?? schema),
    repeatable: item !== undefined,
    nullable: types.includes("null"),
    required,
    partial,
    default: initial,
    description: typeof description === "string" ? description : "",
    choices: wordsOf(item ?? schema),
    schema,
  };
}

/** If one of the types is a text, the field is a text: anything that is typed can be one. */
function kindOf(schema: JsonSchema): FieldKind {
  const types = typesOf(schema).filter((type) => type !== "null");
  if (types.includes("string")) return "text";
  if (types.length > 0 && types.every((type) => type === "integer" || type === "number"))
    return types.includes("number") ? "number" : "integer";
  return types.length === 1 && types[0] === "boolean" ? "boolean" : "json";
}

/** `address` and `zip` make `address.zip`. */
function joinPath(above: string, name: string): string {
  return above === "" ? name : `${above}.${name}`;
}

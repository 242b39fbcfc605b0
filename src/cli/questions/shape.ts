// What has to be asked for a value, by its JSON Schema.

import type { Json } from "../../core/record/json-value.ts";
import { isObjectForm } from "../input-form.ts";
import { itemOf, type JsonSchema, optionsOf, typesOf, wordsOf } from "../json-schema.ts";

/** `takesNull` stands beside: null may be given in its place. */
export type Shape = { readonly takesNull: boolean } & (
  | { readonly kind: "words"; readonly words: readonly Json[] }
  | { readonly kind: "yes-no" }
  | { readonly kind: "object"; readonly schema: JsonSchema }
  | { readonly kind: "list"; readonly schema: JsonSchema }
  | { readonly kind: "variants"; readonly variants: readonly JsonSchema[] }
  /** Typed as text; `isJson`: what is typed is read as JSON. */
  | { readonly kind: "text"; readonly isJson: boolean }
);

export function shapeOf(schema: JsonSchema): Shape {
  const words = wordsIn(schema);
  if (words) return { kind: "words", words: words.filter((word) => word !== null), takesNull: words.includes(null) };
  const all = variantsIn(schema);
  const variants = all.filter((variant) => !isNull(variant));
  const takesNull = typesOf(schema).includes("null");
  const [only] = variants;
  if (only && variants.length === 1) return { ...shapeOf(only), takesNull };
  if (variants.length > 1 && !variants.every(isTyped)) return { kind: "variants", variants, takesNull };
  const types = typesOf(schema).filter((type) => type !== "null");
  const [type] = types;
  if (types.length === 1 && type === "boolean") return { kind: "yes-no", takesNull };
  if (types.length === 1 && type === "array") return { kind: "list", schema, takesNull };
  if (variants.length === 0 && (isObjectForm(schema) || (types.length === 1 && type === "object")))
    return { kind: "object", schema, takesNull };
  return { kind: "text", isJson: !types.some((each) => TYPED.has(each)), takesNull };
}

/** What a person types as it is, without JSON's quotes and brackets. */
const TYPED: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean"]);

/** Of several words, and of several schemas that each list some. */
function wordsIn(schema: JsonSchema): readonly Json[] | undefined {
  const own = wordsOf(schema);
  if (own) return own;
  const all = optionsOf(schema).map((option) => (isNull(option) ? [null] : wordsIn(option)));
  const some = all.filter((words) => words !== undefined);
  const hasOthers = some.length < all.length || some.every((words) => words.every((word) => word === null));
  return hasOthers ? undefined : [...new Set(some.flat())];
}

/** Those of which one is to be kept, however they are nested; none where there is no choice. */
function variantsIn(schema: JsonSchema): readonly JsonSchema[] {
  return optionsOf(schema).flatMap((option) => {
    const below = variantsIn(option);
    return below.length > 0 ? below : [option];
  });
}

function isNull(schema: JsonSchema): boolean {
  const types = typesOf(schema);
  return types.length === 1 && types[0] === "null";
}

function isTyped(schema: JsonSchema): boolean {
  const types = typesOf(schema);
  return wordsOf(schema) === undefined && types.length > 0 && types.every((type) => TYPED.has(type));
}

/** `kind: card`, or the fields of an object, or what else it is. */
export function describeVariant(schema: JsonSchema): { readonly label: string; readonly hint?: string } {
  const { title, description, properties } = schema;
  const fields = Object.entries(typeof properties === "object" && properties !== null ? properties : {});
  const marks = fields.flatMap(([name, field]) => {
    const words = wordsOf(field as JsonSchema);
    return words?.length === 1
      ? [`${name}: ${typeof words[0] === "string" ? words[0] : JSON.stringify(words[0])}`]
      : [];
  });
  const names = fields.map(([name]) => name).join(", ");
  const said = [title, description].find((text) => typeof text === "string" && text !== "");
  const hint = typeof said === "string" ? { hint: said } : {};
  if (marks.length > 0) return { label: marks.join(", "), ...(names === "" ? {} : { hint: names }), ...hint };
  if (names !== "") return { label: names, ...hint };
  if (itemOf(schema, 0)) return { label: "a list", ...hint };
  return { label: typesOf(schema).map(nameOf).join(" or ") || "JSON", ...hint };
}

function nameOf(type: string): string {
  return NAMES.get(type) ?? type;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ["string", "a text"],
  ["number", "a number"],
  ["integer", "an integer"],
  ["boolean", "true or false"],
  ["object", "an object"],
  ["array", "a list"],
]);

import type { Json } from "../core/record/json-value.ts";
import type { JsonSchema } from "./json-schema.ts";

/**
 * What a prompt can say at once about a value that its schema does not take; undefined where it finds nothing. It knows
 * the common bounds only: the contract itself is applied when the task is created.
 */
export function findBreach(schema: JsonSchema, value: Json): string | undefined {
  const bound = (name: string): number | undefined => {
    const limit = schema[name];
    return typeof limit === "number" ? limit : undefined;
  };
  if (typeof value === "number") {
    if (value < (bound("minimum") ?? value)) return `must be at least ${bound("minimum")}`;
    if (value > (bound("maximum") ?? value)) return `must be at most ${bound("maximum")}`;
    if (value <= (bound("exclusiveMinimum") ?? -Infinity)) return `must be more than ${bound("exclusiveMinimum")}`;
    if (value >= (bound("exclusiveMaximum") ?? Infinity)) return `must be less than ${bound("exclusiveMaximum")}`;
  }
  if (typeof value === "string") {
    if (value.length < (bound("minLength") ?? 0)) return `must have at least ${bound("minLength")} characters`;
    if (value.length > (bound("maxLength") ?? Infinity)) return `must have at most ${bound("maxLength")} characters`;
  }
  return undefined;
}

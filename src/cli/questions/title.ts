// What a question says of the field that it asks for.

import { describeLimits } from "../describe-limits.ts";
import type { Keys } from "../field-place.ts";
import { type JsonSchema, optionsOf } from "../json-schema.ts";
import { pathOf } from "./judge.ts";

type Named = { readonly keys: Keys; readonly schema: JsonSchema };

/** `qty: how many of it (1 to 9)` */
export function titleOf(form: { readonly whole: string }, { keys, schema }: Named): string {
  const name = nameOf(form, keys);
  const said = descriptionOf(schema);
  const limits = describeLimits(schema).join(", ");
  return `${name}${said === "" ? "" : `: ${said}`}${limits === "" ? "" : ` (${limits})`}`;
}

/** `tags: what it is like. Add an item?`, `tags: add an item?`; `action` is lower case. */
export function actionOn(form: { readonly whole: string }, field: Named, action: string): string {
  const said = descriptionOf(field.schema);
  const upper = action.charAt(0).toUpperCase() + action.slice(1);
  return said === "" ? `${titleOf(form, field)}: ${action}` : `${titleOf(form, field)}. ${upper}`;
}

/** What a field is called in questions: its path, or the name of the whole. */
export function nameOf({ whole }: { readonly whole: string }, keys: Keys): string {
  return keys.length === 0 ? whole : pathOf(keys);
}

/** Its own, or that of what it may be. */
function descriptionOf(schema: JsonSchema): string {
  const { description } = schema;
  if (typeof description === "string" && description !== "") return description;
  const [said = ""] = optionsOf(schema)
    .map((option) => option["description"])
    .filter((each) => typeof each === "string");
  return said;
}

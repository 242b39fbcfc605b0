// The fields of an input or a payload as lines of the help.

import type { Json } from "../core/record/json-value.ts";
import { escapeControls, showControls } from "../core/visible.ts";
import { showText } from "./cells.ts";
import type { Option } from "./option.ts";
import { describeLimits } from "./describe-limits.ts";
import type { HelpRow } from "./help-rows.ts";
import { type FieldFacts, listFields } from "./list-fields.ts";
import { itemOf, type JsonSchema } from "./json-schema.ts";

/** Longer lists of words stand in the text, not behind the flag. */
const WORDS_COLUMNS_MAX = 16;
const DEFAULT_COLUMNS_MAX = 60;

/** As flags: `--qty <integer>`. A field with the name of one of the `options` gets the prefix `input.`. */
export function flagRows(schema: JsonSchema, options: readonly Option[]): readonly HelpRow[] {
  return listFields(schema).map((facts) => {
    const path = showControls(flagOf(facts.path, options));
    const value = valueOf(facts);
    // a flag that may stand alone also has its `--no-` form
    const name = facts.kind === "boolean" && !facts.repeatable ? `--${path}, --no-${path}` : `--${path} <${value}>`;
    return { name, text: describeField(facts) };
  });
}

/** What stands behind the dashes for a field. */
export function flagOf(path: string, options: readonly Option[]): string {
  return options.some(({ name }) => name === path) ? `input.${path}` : path;
}

/** As fields of JSON: `by <text>`. */
export function payloadRows(schema: JsonSchema): readonly HelpRow[] {
  return listFields(schema).map((facts) => ({
    name: `${showControls(facts.path)} <${facts.kind === "boolean" ? "true | false" : valueOf(facts)}>`,
    text: describeField(facts),
  }));
}

/** `integer`, or the words where they are few. */
function valueOf({ kind, choices }: FieldFacts): string {
  const words = choices?.map(showValue).join(" | ");
  return words !== undefined && words !== "" && Bun.stringWidth(words) <= WORDS_COLUMNS_MAX ? words : kind;
}

function describeField(facts: FieldFacts): string {
  const description = showControls(facts.description);
  const { required, partial, repeatable, nullable, choices, schema } = facts;
  const words = choices !== undefined && valueOf(facts) === facts.kind ? choices.map(showValue) : [];
  const said = [
    ...(required ? ["required"] : []),
    ...(partial ? ["only with some of the others"] : []),
    ...(words.length > 0 ? [`one of ${words.join(", ")}`] : []),
    ...describeLimits(schema).map(showControls),
    ...(repeatable ? describeLimits(itemOf(schema, 0) ?? {}).map((limit) => `each ${showControls(limit)}`) : []),
    ...(repeatable ? ["may be repeated"] : []),
    ...(nullable ? ["or null"] : []),
    ...(facts.default === undefined ? [] : [`default: ${showText(showValue(facts.default), DEFAULT_COLUMNS_MAX)}`]),
  ].join("; ");
  if (description === "") return upperFirst(said);
  return said === "" ? upperFirst(description) : `${upperFirst(description)} (${said})`;
}

/** As it is typed. */
function showValue(value: Json): string {
  return typeof value === "string" && value !== "" ? showControls(value) : escapeControls(JSON.stringify(value));
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// What is wrong with one answer: by the contract itself where this process has it, else by its JSON Schema.

import type { Violation } from "../../core/errors.ts";
import type { Json } from "../../core/record/json-value.ts";
import { findBreach } from "../field-breach.ts";
import type { Keys } from "../field-place.ts";
import type { JsonSchema } from "../json-schema.ts";
import type { Draft } from "./draft.ts";

/** What is wrong with a whole value by its contract, parts that are missing too. */
export type Check = (value: Json) => readonly Violation[];

/** What is wrong with `value` at `keys`; the draft has what was answered before. Undefined: nothing is found. */
export type Judge = (draft: Draft, keys: Keys, value: Json, schema: JsonSchema) => string | undefined;

/** Without `check` only the JSON Schema is known. */
export function createJudge(check: Check | undefined): Judge {
  if (!check) return (_draft, _keys, value, schema) => findBreach(schema, value);
  return (draft, keys, value, schema) => {
    const path = pathOf(keys);
    const among = lookAt(path, check(draft.with(keys, value)));
    if (among.breach === undefined) return among.isHidden ? findBreach(schema, value) : undefined;
    // what is right by itself is wrong beside another answer, which may be the one to change: that is told at the end
    const alone = lookAt(path, check(draft.alone(keys, value)));
    if (alone.breach === undefined && !alone.isHidden) return undefined;
    return among.breach;
  };
}

interface Verdict {
  readonly breach: string | undefined;
  /** Something above is wrong as a whole, as of a union: so the contract has not looked further down. */
  readonly isHidden: boolean;
}

function lookAt(path: string, violations: readonly Violation[]): Verdict {
  const own = violations.find((violation) => violation.path === path || violation.path.startsWith(`${path}.`));
  const isHidden = violations.some((above) => above.path === "" || path.startsWith(`${above.path}.`));
  return { breach: own?.message, isHidden };
}

/** As violations have it: `items.0.sku`. */
export function pathOf(keys: Keys): string {
  return keys.join(".");
}

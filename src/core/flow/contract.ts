// Contracts are valibot schemas. A violation is data: every one at once, each with its path.

import * as v from "valibot";
import type { Violation } from "../errors.ts";
import { messageOf } from "../record/stored-error.ts";
import { tellIssue } from "./tell-issue.ts";

/** A synchronous valibot schema: In is what it takes, Out what it gives. */
export type Schema<In = unknown, Out = unknown> = v.GenericSchema<In, Out>;

export type ContractResult<Out> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly errors: readonly Violation[] };

/** Never throws: what a transform or a check of the schema throws is a violation of the whole value. */
export function applyContract<Out>(schema: Schema<unknown, Out>, value: unknown): ContractResult<Out> {
  try {
    const result = v.safeParse(strictOf(schema), value);
    if (result.success) return { ok: true, value: result.output as Out };
    return {
      ok: false,
      errors: result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: tellIssue(issue) })),
    };
  } catch (thrown) {
    return { ok: false, errors: [{ path: "", message: messageOf(thrown) }] };
  }
}

/** The fields of a schema that hold the schemas inside of it. */
const PARTS = ["entries", "item", "items", "rest", "key", "value", "wrapped", "options"] as const;

type Parts = Partial<Record<(typeof PARTS)[number], unknown>> & {
  readonly getter?: (input: unknown) => Schema;
  readonly pipe?: readonly [Schema, ...v.PipeItem<unknown, unknown, v.BaseIssue<unknown>>[]];
  readonly fallback?: unknown;
};

const NO_LIST = v.custom((value) => !Array.isArray(value), "must be an object, not a list");

/** By the schema as it was defined: the work is done once, and a schema that holds itself comes to an end. */
const strict = new WeakMap<Schema, Schema>();

/**
 * The schema with objects that take no list. valibot takes one, since JavaScript calls both "object", and makes `{}` of
 * it; a contract in JSON's words must not. It is said inside of the schema, not beside it, because only there a union
 * goes on to its next option. What is left to valibot: the inside of an object in `v.config`, `v.message` or
 * `v.fallback`, which keep it where nobody can reach it.
 */
function strictOf(schema: Schema): Schema {
  const known = strict.get(schema);
  if (known) return known;
  const copy: Schema = { ...schema };
  strict.set(schema, copy);
  const hasChanged = makeStrict(copy);
  if (!hasChanged) strict.set(schema, schema);
  return hasChanged ? copy : schema;
}

/** Tells whether there was anything to change. */
function makeStrict(copy: Schema & Parts): boolean {
  let hasChanged = false;
  for (const name of PARTS) {
    const part = copy[name];
    const strictPart = strictPartOf(part);
    if (strictPart === part) continue;
    Object.assign(copy, { [name]: strictPart });
    hasChanged = true;
  }
  const { type, entries, getter, pipe, fallback } = copy;
  if (pipe) {
    const items = pipe.map((item) => (isSchema(item) ? strictOf(item) : item));
    if (items.every((item, index) => item === pipe[index])) return hasChanged;
    const piped = v.pipe(...(items as unknown as typeof pipe)) as Schema;
    Object.assign(copy, "fallback" in copy ? v.fallback(piped, fallback) : piped);
    return true;
  }
  if (getter) {
    Object.assign(copy, { getter: (input: unknown) => strictOf(getter(input)) });
    return true;
  }
  if (!entries && type !== "record" && type !== "variant") return hasChanged;
  const run = copy["~run"];
  Object.assign(copy, {
    "~run": (...[dataset, config]: Parameters<typeof run>) =>
      Array.isArray(dataset.value) ? NO_LIST["~run"](dataset, config) : run.call(copy, dataset, config),
  });
  return true;
}

/** Of a schema, a list of them or a record of them; the same where nothing in it changes. */
function strictPartOf(part: unknown): unknown {
  if (typeof part !== "object" || part === null) return part;
  if (isSchema(part)) return strictOf(part);
  const before: readonly unknown[] = Object.values(part);
  const after = before.map((member) => (isSchema(member) ? strictOf(member) : member));
  if (after.every((member, index) => member === before[index])) return part;
  return Array.isArray(part) ? after : Object.fromEntries(Object.keys(part).map((key, index) => [key, after[index]]));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

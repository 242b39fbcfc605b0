// Contracts are valibot schemas. A violation is data: every one at once, each with its path.

import * as v from "valibot";
import type { Violation } from "./errors.ts";

/** A synchronous valibot schema: In is what it takes, Out what it gives. */
export type Schema<In = unknown, Out = unknown> = v.GenericSchema<In, Out>;

export type ContractResult<Out> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly errors: readonly Violation[] };

export function applyContract<Out>(schema: Schema<unknown, Out>, value: unknown): ContractResult<Out> {
  const lists = findLists(schema, value, "");
  if (lists.length > 0) return { ok: false, errors: lists };
  const result = v.safeParse(schema, value);
  if (result.success) return { ok: true, value: result.output };
  return {
    ok: false,
    errors: result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: describe(issue) })),
  };
}

/** The parts of a schema that say what is inside of a value. */
interface Inside {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly wrapped?: Schema;
}

/** valibot takes a list for an object, since JavaScript calls both "object"; a contract in JSON's words must not. */
function findLists(schema: Schema, value: unknown, path: string): Violation[] {
  if (typeof value !== "object" || value === null) return [];
  const { type, entries, item, wrapped } = schema as Schema & Inside;
  if (wrapped) return findLists(wrapped, value, path);
  if (Array.isArray(value)) {
    if (entries || type === "record") return [{ path, message: "must be an object, not a list" }];
    return item ? value.flatMap((member, index) => findLists(item, member, joinPath(path, String(index)))) : [];
  }
  return Object.entries(entries ?? {}).flatMap(([key, member]) =>
    findLists(member, (value as Record<string, unknown>)[key], joinPath(path, key)),
  );
}

function joinPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function describe(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "schema" && issue.received === "undefined") return "required";
  if (issue.expected === "never") return "unknown field";
  return lowerFirst(issue.message);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

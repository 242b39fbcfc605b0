// The parameters of a request's query, read from its URL as it came: of a request without a Host (HTTP/1.0) that is the
// bare path, of which Hono would lose them.

import type { Context } from "hono";
import type { Violation } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import { inputInvalid } from "./check.ts";

/** Each parameter with all its values. */
export type Query = ReadonlyMap<string, readonly string[]>;

export function queryOf(c: Context): Query {
  const [, text = ""] = /^[^?#]*\?([^#]*)/.exec(c.req.raw.url) ?? [];
  const query = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) query.set(name, [...(query.get(name) ?? []), value]);
  return query;
}

/**
 * Every parameter that is unknown, or given more than once though it is not `repeatable`: of a list with
 * `?satus=FAILED`, or a task with `?strat=now`, nobody would hear that it is not what was asked for.
 */
export function violationsOf(query: Query, known: readonly string[], repeatable: readonly string[] = []): Violation[] {
  const errors: Violation[] = [];
  for (const [path, values] of query) {
    if (!known.includes(path)) {
      const others = known.length === 0 ? "this route takes none" : `known: ${known.join(", ")}`;
      errors.push({ path, message: `unknown parameter; ${others}${suggest(path, known)}` });
    } else if (values.length > 1 && !repeatable.includes(path)) errors.push({ path, message: "given more than once" });
  }
  return errors;
}

/** Throws input_invalid where there is any parameter at all. */
export function refuseQuery(c: Context): void {
  const errors = violationsOf(queryOf(c), []);
  if (errors.length > 0) throw inputInvalid(errors);
}

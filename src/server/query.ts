// The query parameters of a request, read from its raw URL. For a request without a Host (HTTP/1.0) that is the bare
// path, and Hono would lose its parameters.

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
 * Finds every parameter that is unknown, or given more than once without being `repeatable`. Otherwise nobody would
 * notice that `?satus=FAILED` or `?strat=now` has no effect.
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

/** Throws input_invalid if there is any parameter. */
export function refuseQuery(c: Context): void {
  const errors = violationsOf(queryOf(c), []);
  if (errors.length > 0) throw inputInvalid(errors);
}

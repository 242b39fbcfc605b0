// Statements of bun:sqlite. Each one has `get`, `all`, `run` and so on as own properties, copied from its class.

import { USE_TOOL } from "./advice.ts";
import { guardFunction, isGuarded, propertyOf } from "./guard.ts";

/** By method: statements share their methods, so they share the guards. */
const guards = new WeakMap<object, object>();

/** Guards a statement that was made outside of flows. */
export function guardStatement(statement: unknown): unknown {
  if (typeof statement !== "object" || statement === null) return statement;
  for (const key of Object.getOwnPropertyNames(statement)) {
    const method = propertyOf(statement, key)?.value;
    if (typeof method === "function" && !isGuarded(method)) Reflect.set(statement, key, guardOf(method, key));
  }
  return statement;
}

function guardOf(method: object, key: string): object {
  const known = guards.get(method);
  if (known) return known;
  const guard = guardFunction(method, { call: `sqlite.statement.${key}`, instead: USE_TOOL });
  guards.set(method, guard);
  return guard;
}

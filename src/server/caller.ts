// The caller of a request, as the access rules found it, for the handlers.

import type { Context } from "hono";
import type { Caller } from "../core/api/tokens.ts";

/** The address that a request came from. */
export type AddressOf = (request: Request) => string | undefined;

interface Entry {
  readonly caller: Caller;
  /** Checks the credentials again. Throws if they are no longer valid. */
  readonly again: () => Promise<Caller>;
}

const callers = new WeakMap<Request, Entry>();

/** The caller on a server without tokens: it may do everything. */
export const ANYBODY: Caller = { name: "anybody", role: "admin", flows: null, hidesPayloads: false, isAnybody: true };

export function noteCaller(c: Context, caller: Caller, again: () => Promise<Caller>): void {
  callers.set(c.req.raw, { caller, again });
}

export function callerOf(c: Context): Caller {
  return callers.get(c.req.raw)?.caller ?? ANYBODY;
}

/** Of a caller who has shown a token; undefined: anybody may be it. */
export function nameOfCaller(c: Context): string | undefined {
  const { name, isAnybody } = callerOf(c);
  return isAnybody ? undefined : name;
}

/** For a long request: whether the same caller would still be admitted now. If that cannot be checked, it would not. */
export async function isStillLetIn(c: Context): Promise<boolean> {
  const entry = callers.get(c.req.raw);
  if (!entry) return true;
  try {
    const { name, role } = await entry.again();
    return name === entry.caller.name && role === entry.caller.role;
  } catch {
    return false;
  }
}

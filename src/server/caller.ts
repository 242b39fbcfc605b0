// Who asks: what the access rules have found out of a request, for the handlers behind them.

import type { Context } from "hono";
import type { Caller } from "../core/api/tokens.ts";

/** Where a request came from. */
export type AddressOf = (request: Request) => string | undefined;

interface Entry {
  readonly caller: Caller;
  /** Asks again; throws where it is nobody any more. */
  readonly again: () => Promise<Caller>;
}

const callers = new WeakMap<Request, Entry>();

/** Of a server that wants no token: whoever reaches it may do everything. */
export const ANYBODY: Caller = { name: "anybody", role: "admin", flows: null, hidesPayloads: false, isAnybody: true };

export function noteCaller(c: Context, caller: Caller, again: () => Promise<Caller>): void {
  callers.set(c.req.raw, { caller, again });
}

export function callerOf(c: Context): Caller {
  return callers.get(c.req.raw)?.caller ?? ANYBODY;
}

/** Of a request that takes long: whether the same caller would be let in now. Where nobody can tell, he would not. */
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

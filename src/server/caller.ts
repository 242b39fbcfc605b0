// Who asks: what the access rules have found out of a request, for the handlers behind them.

import type { Context } from "hono";
import type { Caller } from "../core/api/tokens.ts";

/** Where a request came from. */
export type AddressOf = (request: Request) => string | undefined;

const callers = new WeakMap<Request, Caller>();

/** Of a server that wants no token: whoever reaches it may do everything. */
export const ANYBODY: Caller = { name: "anybody", role: "admin", flows: null, hidesPayloads: false, isAnybody: true };

export function noteCaller(c: Context, caller: Caller): void {
  callers.set(c.req.raw, caller);
}

export function callerOf(c: Context): Caller {
  return callers.get(c.req.raw) ?? ANYBODY;
}

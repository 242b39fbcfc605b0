// Who makes a request, for the audit log.

import type { Context } from "hono";
import type { Actor } from "../core/api/audit.ts";
import { readReason, REASON_HEADER } from "../core/api/audit-text.ts";
import { type AddressOf, callerOf } from "./caller.ts";
import { permissionOf, type Route } from "./route.ts";

const REQUEST_ID = "X-Request-Id";

/**
 * Whether the route writes to the audit log. All routes that change something do, except those that create or drive
 * tasks. (The login finds out itself who acts.)
 */
export function isAudited(route: Route): boolean {
  if (route.method !== "POST" || route.isUnaudited === true) return false;
  const permission = permissionOf(route);
  return route.path === "/session/end" || permission === "operate" || permission === "administer";
}

/** Uses the sender's request id if it is valid. The answer carries the id. */
export function actorOf(c: Context, addressOf: AddressOf | undefined): Actor {
  const { name, role, id, isAnybody, bySession } = callerOf(c);
  const given = c.req.header(REQUEST_ID);
  const requestId = given !== undefined && /^[\x21-\x7e]{1,200}$/.test(given) ? given : crypto.randomUUID();
  c.header(REQUEST_ID, requestId);
  const reason = c.req.header(REASON_HEADER);
  return {
    who: name,
    tokenId: id,
    role,
    // a page that asks without a token is the dashboard of an open server: other pages are refused
    way: bySession || (isAnybody && c.req.header("origin") !== undefined) ? "dashboard" : "http",
    reason: reason === undefined ? undefined : readReason(reason),
    requestId,
    address: addressOf?.(c.req.raw),
  };
}

// The cookie of a session. Browsers send a `__Host-` cookie only to this host, and only over https. Loopback has no
// https, so there the cookie's name contains the port: browsers send a host's cookies to all of its ports.

import type { Context } from "hono";

const SECURE_NAME = "__Host-taskonaut";

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** How a session's cookie travels; `refused`: neither over https nor on loopback. */
export type Transit = "secure" | "loopback" | "refused";

/** Decides by the page's own origin, which the browser sends with every request that changes something. */
export function transitOf(c: Context): Transit {
  const isLoopback = LOOPBACK_HOST.test(c.req.header("host") ?? "");
  const origin = c.req.header("origin");
  if (origin === undefined) return isLoopback ? "loopback" : "secure";
  if (origin.startsWith("https:")) return "secure";
  return isLoopback ? "loopback" : "refused";
}

/** The session's secret from the browser. Undefined: the request has none. */
export function readSession(c: Context): string | undefined {
  const host = c.req.header("host") ?? "";
  const names = LOOPBACK_HOST.test(host) ? [SECURE_NAME, loopbackName(host)] : [SECURE_NAME];
  for (const pair of (c.req.header("cookie") ?? "").split(";")) {
    const [name = "", value] = pair.trim().split("=");
    if (names.includes(name) && value !== undefined) return value;
  }
  return undefined;
}

/** `secret`: null ends the session. The cookie has no expiry: the browser forgets it on exit, the server when idle. */
export function writeSession(c: Context, secret: string | null, transit: Exclude<Transit, "refused">): void {
  const isSecure = transit === "secure";
  const name = isSecure ? SECURE_NAME : loopbackName(c.req.header("host") ?? "");
  const parts = [`${name}=${secret ?? ""}`, "Path=/", "HttpOnly", "SameSite=Strict"];
  if (isSecure) parts.push("Secure");
  if (secret === null) parts.push("Max-Age=0");
  c.header("Set-Cookie", parts.join("; "), { append: true });
}

function loopbackName(host: string): string {
  return `taskonaut-${/:(\d+)$/.exec(host)?.[1] ?? "80"}`;
}

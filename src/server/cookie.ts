// The cookie of a session. Browsers send a `__Host-` one to this host alone, over https alone. On loopback, where there is
// no https, its name has the port: cookies of one host are sent to all of its ports.

import type { Context } from "hono";

const SECURE_NAME = "__Host-taskonaut";

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** How a session's cookie travels; `refused`: neither over https nor on loopback. */
export type Transit = "secure" | "loopback" | "refused";

/** By the page's own origin, which the browser tells with whatever changes something. */
export function transitOf(c: Context): Transit {
  const isLoopback = LOOPBACK_HOST.test(c.req.header("host") ?? "");
  const origin = c.req.header("origin");
  if (origin === undefined) return isLoopback ? "loopback" : "secure";
  if (origin.startsWith("https:")) return "secure";
  return isLoopback ? "loopback" : "refused";
}

/** What the browser has kept; undefined: nothing that could be a session. */
export function readSession(c: Context): string | undefined {
  const host = c.req.header("host") ?? "";
  const names = LOOPBACK_HOST.test(host) ? [SECURE_NAME, loopbackName(host)] : [SECURE_NAME];
  for (const pair of (c.req.header("cookie") ?? "").split(";")) {
    const [name = "", value] = pair.trim().split("=");
    if (names.includes(name) && value !== undefined) return value;
  }
  return undefined;
}

/** `secret`: null ends it. It has no end of its own: the browser forgets it when it is closed, and the server when it is idle. */
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

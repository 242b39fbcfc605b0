// Who may ask. Three rules, each against one kind of stranger:
//
// A1. A token, where one is set, is wanted on every route but /healthz, on loopback too: whoever sets one means it. The
//     dashboard's own files are open as well: they hold nothing, and ask for the token.
//     A bind that is not loopback does not start without one (serve.ts). So are the tokens of the store, as soon as there
//     is one: each allows what its role does (authorize.ts).
// A2. A request with a foreign Origin is refused: a web page that its reader's browser lets speak to us.
// A3. On a loopback bind a foreign Host is refused: a name of a stranger's that resolves to 127.0.0.1 (DNS rebinding),
//     which would make the stranger's page same-origin.

import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { TaskonautError } from "../core/errors.ts";
import type { Caller, Gate } from "../core/api/tokens.ts";
import { ANYBODY, noteCaller } from "./caller.ts";

export interface AccessOptions {
  /** What the server is bound to. */
  readonly host: string;
  readonly token?: string | undefined;
  /** The tokens of the store; without it there are none. */
  readonly gate?: Pick<Gate, "isGuarded" | "admit"> | undefined;
}

/** Who has the token that the server was started with. */
const OWNER: Caller = { ...ANYBODY, name: "TASKONAUT_API_TOKEN" };

/** Nobody has to show a token there. */
export const isOpen = (path: string): boolean => path === "/healthz" || path === "/ui" || path.startsWith("/ui/");

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i;
const LOOPBACK_HOST_HEADER = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Throws origin_forbidden (A2, A3) and unauthorized (A1), in this order. */
export function guardAccess({ host, token, gate }: AccessOptions): MiddlewareHandler {
  const loopback = isLoopback(host);
  return async (c, next) => {
    const hostHeader = c.req.header("host");
    if (loopback) checkHost(hostHeader);
    checkOrigin(c.req.header("origin"), hostHeader);
    if (!isOpen(c.req.path)) noteCaller(c, await admit(c.req.header("authorization"), token, gate));
    await next();
  };
}

/** Names that resolve to loopback by somebody's configuration do not count: the safe side. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Browsers always send a Host; a request without one (HTTP/1.0) comes from none. */
function checkHost(hostHeader: string | undefined): void {
  if (hostHeader === undefined || LOOPBACK_HOST_HEADER.test(hostHeader)) return;
  throw new TaskonautError(
    "origin_forbidden",
    `The host ${JSON.stringify(hostHeader)} is not this server's: it is bound to loopback, so ask for localhost or 127.0.0.1.`,
  );
}

/** Own is what has the authority that the request was sent to. The scheme is not compared: TLS may end at a proxy. */
function checkOrigin(origin: string | undefined, hostHeader: string | undefined): void {
  if (origin === undefined) return;
  const own = URL.parse(origin);
  if (own !== null && own.host !== "" && own.host === URL.parse(`${own.protocol}//${hostHeader}`)?.host) return;
  throw new TaskonautError("origin_forbidden", `Web pages of ${JSON.stringify(origin)} may not speak to this server.`);
}

/** Throws unauthorized; and what the store throws, where its tokens cannot be read: nobody gets in on a guess. */
async function admit(
  authorization: string | undefined,
  token: string | undefined,
  gate: AccessOptions["gate"],
): Promise<Caller> {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token !== undefined && given !== undefined && equalInConstantTime(given, token)) return OWNER;
  const caller = given === undefined ? undefined : await gate?.admit(given);
  if (caller) return caller;
  if (token === undefined && !(await gate?.isGuarded())) return ANYBODY;
  const fault =
    authorization === undefined
      ? "This server wants a token"
      : "The token is not one of this server's, or works no more";
  throw new TaskonautError(
    "unauthorized",
    `${fault}: send "Authorization: Bearer <token>" (the CLI takes it from TASKONAUT_API_TOKEN).`,
  );
}

/** Of digests, so that not even the length tells anything. */
function equalInConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

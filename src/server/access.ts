// Who may send requests. Each rule is against one kind of attacker:
//
// A1. If a token is set, every route except /healthz and the login requires it, on loopback too. The dashboard's own
//     files are open as well: they hold no data, and the page asks for the token. The server does not start without a
//     token on an address that is not loopback (serve.ts). As soon as the store has tokens, they are required in the
//     same way. Each allows what its role may do (authorize.ts). A session stands for the token that opened it.
// A2. A request with a foreign Origin is refused: it comes from another website in the user's browser.
// A3. On a loopback bind a foreign Host is refused: an attacker's name that resolves to 127.0.0.1 (DNS rebinding) would
//     make the attacker's page same-origin.
// A4. A session may change something only if the browser says that the request comes from our own page (CSRF).
// A5. A token in a URL is refused, whoever sends it: it is already in logs and histories.
// A6. A caller with repeated wrong tokens has to wait (attempts.ts). A right token still works, except at the login.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { TaskonautError } from "../core/errors.ts";
import type { Session, Sessions } from "../core/api/sessions.ts";
import type { Caller, Gate } from "../core/api/tokens.ts";
import { Attempts } from "./attempts.ts";
import { type AddressOf, ANYBODY, noteCaller } from "./caller.ts";
import { readSession } from "./cookie.ts";

export interface AccessOptions {
  /** The address that the server is bound to. */
  readonly host: string;
  readonly token?: string | undefined;
  /** The tokens of the store. Unset: there are none. */
  readonly gate?: Pick<Gate, "isGuarded" | "admit"> | undefined;
  /** The sessions of the dashboard. Unset: nobody can log in. */
  readonly sessions?: Sessions | undefined;
  /** The address of a request's sender. Unset: it is not known. */
  readonly addressOf?: AddressOf | undefined;
}

/** The caller with the token that the server was started with. */
const OWNER: Caller = { name: "TASKONAUT_API_TOKEN", role: "admin", flows: null, hidesPayloads: false };

/** These routes need no token. */
export const isOpen = (method: string, path: string): boolean =>
  path === "/healthz" || path === "/ui" || path.startsWith("/ui/") || (method === "POST" && path === "/session");

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i;
const LOOPBACK_HOST_HEADER = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** The form of our tokens, anywhere in a URL. */
const TOKEN_IN_URL = /tkn_[a-z0-9]{12}_[\w-]{43}|[?&](?:access_)?token=/i;

/** A name that only some configuration resolves to loopback does not count, to be on the safe side. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Throws origin_forbidden (A2 to A4), input_invalid (A5), unauthorized (A1) and too_many_attempts (A6). */
export function guardAccess(access: Access): MiddlewareHandler {
  return (c, next) => access.guard(c, next);
}

export class Access {
  readonly #attempts = new Attempts();
  readonly #isLoopback: boolean;

  constructor(private readonly options: AccessOptions) {
    this.#isLoopback = isLoopback(options.host);
  }

  async guard(c: Context, next: () => Promise<void>): Promise<void> {
    const hostHeader = c.req.header("host");
    if (this.#isLoopback) checkHost(hostHeader);
    checkOrigin(c.req.header("origin"), hostHeader);
    checkUrl(c.req.raw.url);
    if (!isOpen(c.req.method, c.req.path)) noteCaller(c, await this.#admit(c), () => this.#admit(c));
    await next();
  }

  /** For the login. Throws unauthorized, too_many_attempts. */
  async admitToken(c: Context, token: string): Promise<Caller> {
    checkSameSite(c, { isSaid: false });
    const address = this.options.addressOf?.(c.req.raw);
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs > 0) throw tooManyAttempts(waitMs);
    const caller = await this.#callerOf(token);
    if (caller) {
      this.#attempts.noteRight(address);
      return caller;
    }
    this.#attempts.noteWrong(address);
    throw new TaskonautError("unauthorized", "This token is not one of this server's, or no longer works.");
  }

  /**
   * Opens a session for a caller that was just admitted with this token, and ends the one before. Throws unauthorized.
   */
  async openSession(c: Context, token: string): Promise<Session> {
    const { sessions, token: ownerToken } = this.options;
    const isOwner = ownerToken !== undefined && equalInConstantTime(token, ownerToken);
    const session = isOwner ? await sessions?.openForOwner(ownerToken, OWNER) : await sessions?.open(token);
    if (!session) throw new TaskonautError("unauthorized", "Nobody can log in to this server.");
    await this.endSession(c);
    return session;
  }

  async endSession(c: Context): Promise<void> {
    const secret = readSession(c);
    if (secret !== undefined) await this.options.sessions?.end(secret, this.options.token);
  }

  /** If the store's tokens cannot be read, throws the store's error: nobody is admitted without a check. */
  async #admit(c: Context): Promise<Caller> {
    const authorization = c.req.header("authorization");
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    const caller = given === undefined ? undefined : await this.#callerOf(given);
    if (caller) return caller;
    const secret = authorization === undefined ? readSession(c) : undefined;
    const ofSession = secret === undefined ? undefined : await this.#callerOfSession(c, secret);
    if (ofSession) return ofSession;
    const { token, gate } = this.options;
    if (token === undefined && !(await gate?.isGuarded())) return ANYBODY;
    if (given !== undefined) this.#refuseWrong(c);
    throw unauthorized(authorization, secret !== undefined);
  }

  async #callerOf(given: string): Promise<Caller | undefined> {
    const { token, gate } = this.options;
    if (token !== undefined && equalInConstantTime(given, token)) return OWNER;
    return gate?.admit(given);
  }

  async #callerOfSession(c: Context, secret: string): Promise<Caller | undefined> {
    const found = await this.options.sessions?.find(secret, this.options.token);
    if (found === undefined) return undefined;
    if (c.req.method !== "GET" && c.req.method !== "HEAD") checkSameSite(c, { isSaid: true });
    return { ...(found === "owner" ? OWNER : found), bySession: true };
  }

  /** Throws too_many_attempts. */
  #refuseWrong(c: Context): void {
    const address = this.options.addressOf?.(c.req.raw);
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs > 0) throw tooManyAttempts(waitMs);
    this.#attempts.noteWrong(address);
  }
}

/** Browsers always send a Host, so a request without one (HTTP/1.0) does not come from a browser. */
function checkHost(hostHeader: string | undefined): void {
  if (hostHeader === undefined || LOOPBACK_HOST_HEADER.test(hostHeader)) return;
  throw new TaskonautError(
    "origin_forbidden",
    `The host ${JSON.stringify(hostHeader)} is not this server's: it is bound to loopback, so ask for localhost or 127.0.0.1.`,
  );
}

/**
 * An origin is our own if its authority is the one in the Host header. The scheme may differ: TLS may end at a proxy.
 */
function checkOrigin(origin: string | undefined, hostHeader: string | undefined): void {
  if (origin === undefined) return;
  const own = URL.parse(origin);
  if (own !== null && own.host !== "" && own.host === URL.parse(`${own.protocol}//${hostHeader}`)?.host) return;
  throw new TaskonautError("origin_forbidden", `Web pages of ${JSON.stringify(origin)} may not speak to this server.`);
}

/** A4. An own Origin, which is checked by now, is enough. `isSaid`: the browser must have sent one of both headers. */
function checkSameSite(c: Context, { isSaid }: { readonly isSaid: boolean }): void {
  const site = c.req.header("sec-fetch-site");
  const isOwn = site === "same-origin" || (site === undefined && (!isSaid || c.req.header("origin") !== undefined));
  if (isOwn) return;
  const message =
    site === undefined
      ? "With a session something is changed by the dashboard alone: send an Origin, or a token in its place."
      : `A request from another site (${site}) changes nothing here.`;
  throw new TaskonautError("origin_forbidden", message);
}

/** A5. */
function checkUrl(url: string): void {
  if (!TOKEN_IN_URL.test(url)) return;
  throw new TaskonautError(
    "input_invalid",
    'A token does not belong in a URL, which ends up in logs: send it as "Authorization: Bearer <token>". Rotate this one, if it is a token.',
    { errors: [{ path: "", message: "a token in the URL" }] },
  );
}

function unauthorized(authorization: string | undefined, hadSession: boolean): TaskonautError {
  const fault =
    authorization !== undefined
      ? "The token is not one of this server's, or no longer works"
      : hadSession
        ? "The session is over: log in again"
        : "This server wants a token";
  return new TaskonautError(
    "unauthorized",
    `${fault}: send "Authorization: Bearer <token>" (the CLI takes it from TASKONAUT_API_TOKEN).`,
  );
}

function tooManyAttempts(waitMs: number): TaskonautError {
  const seconds = Math.ceil(waitMs / 1000);
  return new TaskonautError(
    "too_many_attempts",
    `Too many wrong tokens came from your address; try again in ${seconds} s.`,
    { details: { seconds } },
  );
}

/** Compares digests, so that not even the length leaks. */
function equalInConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

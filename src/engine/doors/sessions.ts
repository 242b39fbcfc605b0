// Sessions of the dashboard. They are rows, not signed values. So a logout ends them, and several servers on one database
// know the same sessions without a shared key.
//
// SE1. A session works as long as the secret that it was opened with: it ends when its token is revoked or expires, or at
//      the end of the grace period of a rotation.

import { SESSION_IDLE_MS, type Session, type Sessions } from "../../core/api/sessions.ts";
import type { Caller } from "../../core/api/tokens.ts";
import type { Clock } from "../../core/clock.ts";
import type { SessionRow, SessionStore } from "../../store/session-store.ts";
import type { StoreClock } from "../process/store-clock.ts";
import type { Audit } from "./audit.ts";
import { randomSecret, sha256 } from "./secrets.ts";
import type { AccessTokens } from "./tokens.ts";

/** How old what is known of a session may be. */
const KNOWN_MS = 5000;
const KNOWN_MAX = 1000;

/** Its last use is written at most so often. */
const USE_MS = 60_000;

const FORM = /^(ses|own)_[\w-]{43}$/;

interface Known {
  readonly row: SessionRow | undefined;
  readonly at: number;
}

export class LoginSessions implements Sessions {
  readonly #known = new Map<string, Known>();
  readonly #usedAt = new Map<string, number>();

  constructor(
    private readonly store: SessionStore,
    private readonly tokens: Pick<AccessTokens, "identify" | "callerOf">,
    private readonly clock: Clock,
    private readonly storeClock: Pick<StoreClock, "recent">,
    private readonly audit: Audit,
  ) {}

  async open(token: string): Promise<Session | undefined> {
    const shown = await this.tokens.identify(token);
    if (!shown) return undefined;
    const secret = secretOf("ses");
    await this.#insert(hashOf(secret, undefined), shown.id, shown.secretHash, shown.caller);
    return { secret, caller: shown.caller };
  }

  async openForOwner(ownerToken: string, caller: Caller): Promise<Session> {
    const secret = secretOf("own");
    await this.#insert(hashOf(secret, ownerToken), null, null, caller);
    return { secret, caller };
  }

  async find(secret: string, ownerToken: string | undefined): Promise<Caller | "owner" | undefined> {
    const hash = hashIn(secret, ownerToken);
    if (hash === undefined) return undefined;
    const row = await this.#find(hash);
    if (!row || (await this.storeClock.recent()) - row.used_at >= SESSION_IDLE_MS) return undefined;
    const { token_id: id, secret_hash: shown } = row;
    const caller = id === null || shown === null ? "owner" : await this.tokens.callerOf(id, shown);
    if (caller !== undefined) this.#noteUse(hash);
    return caller;
  }

  async end(secret: string, ownerToken: string | undefined): Promise<void> {
    const hash = hashIn(secret, ownerToken);
    if (hash === undefined) return;
    await this.store.remove(hash, this.audit({ action: "log out", kind: "session", target: hash.slice(0, 12) }));
    this.#known.delete(hash);
    this.#usedAt.delete(hash);
  }

  async #insert(hash: string, id: string | null, secretHash: string | null, { name }: Caller): Promise<void> {
    const after = { name, token_id: id };
    await this.store.insert(
      { hash, token_id: id, secret_hash: secretHash },
      {
        idleMs: SESSION_IDLE_MS,
        ...this.audit({ action: "log in", kind: "session", target: hash.slice(0, 12), after }),
      },
    );
  }

  async #find(hash: string): Promise<SessionRow | undefined> {
    const known = this.#known.get(hash);
    if (known && this.clock.now() - known.at < KNOWN_MS) return known.row;
    const row = await this.store.read(hash);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(hash, { row, at: this.clock.now() });
    return row;
  }

  /** Nobody waits for it, and where it fails the next use is noted. */
  #noteUse(hash: string): void {
    const now = this.clock.now();
    if (now - (this.#usedAt.get(hash) ?? Number.NEGATIVE_INFINITY) < USE_MS) return;
    if (this.#usedAt.size >= KNOWN_MAX) this.#usedAt.clear();
    this.#usedAt.set(hash, now);
    this.store.noteUse(hash).catch(() => this.#usedAt.delete(hash));
  }
}

function secretOf(kind: "ses" | "own"): string {
  return `${kind}_${randomSecret()}`;
}

/** Undefined: it is no secret of a session. */
function hashIn(secret: string, ownerToken: string | undefined): string | undefined {
  const kind = FORM.exec(secret)?.[1];
  if (kind === undefined) return undefined;
  if (kind === "ses") return hashOf(secret, undefined);
  return ownerToken === undefined ? undefined : hashOf(secret, ownerToken);
}

/** A person has chosen the owner's token. The random secret before it keeps others from guessing it from the hash. */
function hashOf(secret: string, ownerToken: string | undefined): string {
  return sha256(ownerToken === undefined ? secret : `${secret}\0${ownerToken}`);
}

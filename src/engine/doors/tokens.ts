// Creates tokens, and checks them for the server. A secret has 256 random bits and is shown once, so a plain hash of it is
// enough.

import { TaskonautError } from "../../core/errors.ts";
import type { Caller, CreateToken, Gate, NewToken, Token } from "../../core/api/tokens.ts";
import type { Timestamp } from "../../core/api/task.ts";
import type { Clock } from "../../core/clock.ts";
import { readNames } from "../../core/record/names.ts";
import type { Judged } from "../../core/record/judged.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import type { TokenRow, TokenStore } from "../../store/token-store.ts";
import type { StoreClock } from "../process/store-clock.ts";
import type { Audit } from "./audit.ts";
import type { KnownNames } from "./known-names.ts";
import { randomBytes, randomSecret, sha256 } from "./secrets.ts";

/** How long knowledge about a token is used: for this time a token that another process has revoked still works. */
const KNOWN_MS = 5000;

/** Its last use is written at most so often. */
const USE_MS = 60_000;

/** At most so many tried secrets are remembered. */
const KNOWN_MAX = 1000;

const ID_CHARACTERS = 12;
const NAME_MAX = 100;

const FLOW_NAME = /^[A-Za-z][\w.-]{0,99}$/;

const FORM = /^tkn_([a-z0-9]{12})_[\w-]{43}$/;

interface Known {
  readonly row: Judged<TokenRow> | undefined;
  readonly at: number;
}

export class AccessTokens implements Gate {
  readonly #known = new Map<string, Known>();
  readonly #usedAt = new Map<string, number>();
  #guarded: { readonly is: boolean; readonly at: number } | undefined;

  constructor(
    private readonly store: TokenStore,
    private readonly clock: Clock,
    private readonly storeClock: Pick<StoreClock, "recent">,
    private readonly audit: Audit,
    /** The store's, for people. */
    private readonly location: string,
    private readonly names: Pick<KnownNames, "admit" | "tellUnknownFlows">,
  ) {}

  async create(request: CreateToken): Promise<NewToken> {
    checkRequest(request);
    const { name, role, flows, hidesPayloads = false, expiresInMs } = request;
    const id = randomText(ID_CHARACTERS);
    const secret = secretOf(id);
    const sorted = flows ? [...new Set(flows)].toSorted() : null;
    // a token may be there before its flow is, so this is no refusal
    const warnings = await this.names.tellUnknownFlows(sorted ?? []);
    const after = { name, role, flows: sorted, hides_payloads: hidesPayloads, expires_in_ms: expiresInMs ?? null };
    const row = await this.store.insert(
      {
        id,
        name,
        role,
        flows: sorted && JSON.stringify(sorted),
        hides_payloads: hidesPayloads ? 1 : 0,
        secret_hash: hashOf(secret),
        expiresInMs: after.expires_in_ms,
      },
      this.audit({ action: "tokens create", kind: "token", target: id, after }),
    );
    this.#guarded = undefined;
    return { token: await this.#tell(row), secret, warnings };
  }

  async list(): Promise<readonly Token[]> {
    const [rows, now] = await Promise.all([this.store.list(), this.storeClock.recent()]);
    return rows.map((row) => {
      const damage = this.#damageOf(row);
      return { ...toToken(row, now), ...(damage && { damage: damage.message }) };
    });
  }

  async rotate(id: string, graceMs: number): Promise<NewToken> {
    const secret = secretOf(id);
    const before = await this.#told(id);
    const row = await this.store.rotate(
      id,
      { hash: hashOf(secret), graceMs },
      this.audit({
        action: "tokens rotate",
        kind: "token",
        target: id,
        before,
        after: { ...before, grace_ms: graceMs },
      }),
    );
    this.#known.delete(id);
    if (row) return { token: await this.#tell(row), secret, warnings: [] };
    const found = await this.store.read(id);
    if (!found) throw notFound(id);
    const { state } = await this.#tell(found);
    throw new TaskonautError("token_not_active", `Token ${id} is ${state}; create another one.`, {
      details: { id, state },
    });
  }

  async revoke(id: string): Promise<Token> {
    const before = await this.#told(id);
    const after = before && { ...before, state: "revoked" };
    const row = await this.store.revoke(
      id,
      this.audit({ action: "tokens revoke", kind: "token", target: id, before, after }),
    );
    this.#known.delete(id);
    if (!row) throw notFound(id);
    return this.#tell(row);
  }

  /** For the audit log. */
  async #told(id: string): Promise<object | undefined> {
    const row = await this.store.read(id);
    if (!row) return undefined;
    const { name, role, state } = await this.#tell(row);
    return { name, role, state };
  }

  async isGuarded(): Promise<boolean> {
    const known = this.#guarded;
    if (known && this.clock.now() - known.at < KNOWN_MS) return known.is;
    const is = await this.store.isAny();
    this.#guarded = { is, at: this.clock.now() };
    return is;
  }

  async admit(secret: string): Promise<Caller | undefined> {
    return (await this.identify(secret))?.caller;
  }

  /** Which token it is, and the hash of what was shown. */
  async identify(secret: string): Promise<{ id: string; secretHash: string; caller: Caller } | undefined> {
    const id = FORM.exec(secret)?.[1];
    if (id === undefined) return undefined;
    const secretHash = hashOf(secret);
    const caller = await this.callerOf(id, secretHash);
    return caller && { id, secretHash, caller };
  }

  /** Undefined: the token does not work, or no more with what has this hash. Throws record_damaged. */
  async callerOf(id: string, hash: string): Promise<Caller | undefined> {
    const row = await this.#find(id);
    if (!row) return undefined;
    const now = await this.storeClock.recent();
    // both are compared, whatever the first one says
    const isCurrent = isSame(hash, row.secret_hash);
    const isOld = isSame(hash, row.old_hash ?? "") && now < (row.old_until ?? 0);
    if (!isCurrent && !isOld) return undefined;
    this.#sound(row);
    if (stateOf(row, now) !== "active") return undefined;
    this.#noteUse(id);
    const { name, role } = row;
    const flows = flowsOf(row);
    if (flows) this.names.admit(flows);
    return { id, name, role, flows, hidesPayloads: row.hides_payloads === 1 };
  }

  async #find(id: string): Promise<Judged<TokenRow> | undefined> {
    const known = this.#known.get(id);
    if (known && this.clock.now() - known.at < KNOWN_MS) return known.row;
    const row = await this.store.read(id);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(id, { row, at: this.clock.now() });
    return row;
  }

  /** Nobody waits for it, and where it fails the next use is noted. */
  #noteUse(id: string): void {
    const now = this.clock.now();
    if (now - (this.#usedAt.get(id) ?? Number.NEGATIVE_INFINITY) < USE_MS) return;
    this.#usedAt.set(id, now);
    this.store.noteUse(id).catch(() => this.#usedAt.delete(id));
  }

  async #tell(row: Judged<TokenRow>): Promise<Token> {
    return toToken(this.#sound(row), await this.storeClock.recent());
  }

  /** Throws record_damaged. */
  #sound(row: Judged<TokenRow>): TokenRow {
    const damage = this.#damageOf(row);
    if (damage) throw damage;
    return row;
  }

  #damageOf({ id, name, damage }: Judged<TokenRow>): TaskonautError | undefined {
    if (damage === undefined) return undefined;
    const row = `The token ${[name, id].filter(Boolean).join(", ")}`;
    return rowDamaged({ location: this.location, table: "tokens", row, what: damage });
  }
}

function checkRequest({ name, role, flows, hidesPayloads = false }: CreateToken): void {
  if (name.length === 0 || name.length > NAME_MAX) throw refusal("name", `must have 1 to ${NAME_MAX} characters`);
  if (name.includes("\0") || !name.isWellFormed())
    throw refusal("name", "must not hold NUL or half of a surrogate pair");
  if (flows?.length === 0) throw refusal("flows", "must name a flow, or be left out");
  const wrong = flows?.find((each) => !FLOW_NAME.test(each));
  if (wrong !== undefined) throw refusal("flows", `must be names of flows, got ${JSON.stringify(wrong)}`);
  if (hidesPayloads && role !== "viewer") throw refusal("no-payloads", "is for the role viewer");
}

function refusal(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `The token cannot be made: ${path} ${message}.`, {
    errors: [{ path, message }],
  });
}

function toToken(row: TokenRow, now: number): Token {
  const { id, name, role, created_at, expires_at, revoked_at, last_used_at, old_until } = row;
  const time = (at: number | null): string | null => (at === null ? null : timestamp(at));
  return {
    id,
    name,
    role,
    flows: flowsOf(row),
    hides_payloads: row.hides_payloads === 1,
    state: stateOf(row, now),
    created_at: timestamp(created_at),
    expires_at: time(expires_at),
    revoked_at: time(revoked_at),
    last_used_at: time(last_used_at),
    old_secret_until: old_until !== null && old_until > now ? timestamp(old_until) : null,
  };
}

function timestamp(ms: number): Timestamp {
  return new Date(ms).toISOString();
}

function stateOf({ revoked_at, expires_at }: TokenRow, now: number): Token["state"] {
  if (revoked_at !== null) return "revoked";
  return expires_at !== null && expires_at <= now ? "expired" : "active";
}

function flowsOf({ flows }: TokenRow): readonly string[] | null {
  // of a damaged list it reaches none
  return flows === null ? null : readNames(flows);
}

/** Somebody may have given a whole secret in place of its id: an answer, or a log, must not repeat it. */
function notFound(given: string): TaskonautError {
  const id = given.replace(/^(tkn_[a-z0-9]{12})_.*/s, "$1_…");
  return new TaskonautError("token_not_found", `Token ${JSON.stringify(id)} not found`, { details: { id } });
}

function secretOf(id: string): string {
  return `tkn_${id}_${randomSecret()}`;
}

/** Letters and digits that nobody takes for others. */
function randomText(length: number): string {
  const characters = "abcdefghjkmnpqrstuvwxyz23456789";
  return Array.from(randomBytes(length), (byte) => characters[byte % characters.length]).join("");
}

function hashOf(secret: string): string {
  return sha256(secret);
}

/** In constant time. */
function isSame(one: string, other: string): boolean {
  return one.length === other.length && crypto.timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

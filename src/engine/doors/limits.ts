// Limits as people and programs see and set them.

import { TaskonautError } from "../../core/errors.ts";
import type { Limit, LimitNumbersTold, Limits, RateNumbers, SetLimit } from "../../core/api/limits.ts";
import type { Audit } from "./audit.ts";
import { suggest } from "../../core/nearest.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import { IDEMPOTENCY_KEY_MAX, RATE_MS_MAX } from "../../core/limits.ts";
import type { LimitName, LimitNumbers, LimitRow, LimitStore, OwnLimit, Rate } from "../../store/limit-store.ts";

/** No count is larger: it is a 32-bit integer in the store. */
const COUNT_MAX = 1_000_000_000;

interface DoorTools {
  readonly store: {
    readonly limits: Pick<LimitStore, "declare" | "list" | "set" | "reset">;
    readonly location: string;
  };
  readonly audit: Audit;
  /** What the flows of this process say. */
  readonly own: () => readonly OwnLimit[];
  /** A limit has changed: waiting tasks may have room now. */
  readonly onChanged: () => Promise<void>;
}

export class LimitsDoor implements Limits {
  constructor(private readonly tools: DoorTools) {}

  async list(): Promise<readonly Limit[]> {
    // one damaged limit hides no other
    return (await this.tools.store.limits.list()).map((row) => {
      const damage = this.#damageOf(row);
      return { ...toLimit(row), ...(damage && { damage: damage.message }) };
    });
  }

  async set(name: string, change: SetLimit): Promise<Limit> {
    const numbers = checkChange(change);
    const limit = await this.#find(name, change.kind);
    const { audit, store } = this.tools;
    const { reason, by = "somebody" } = change;
    const before = await this.#setOf(limit, (broken) => broken !== undefined);
    const after = { ...before, ...told(numbers), reason: reason ?? null, by };
    await store.limits.set(
      limit,
      { ...numbers, reason: reason ?? null, by },
      audit({ action: "limits set", kind: "limit", target: nameOf(limit), before, after, reason }),
    );
    return this.#changed(limit);
  }

  async reset(name: string, kind?: Limit["kind"]): Promise<Limit> {
    const limit = await this.#find(name, kind);
    const { audit, store } = this.tools;
    // what was set goes, damaged or not
    const before = await this.#setOf(limit, (broken) => broken?.startsWith("own_") === true);
    await store.limits.reset(limit, audit({ action: "limits reset", kind: "limit", target: nameOf(limit), before }));
    return this.#changed(limit);
  }

  /** What is set now, for the audit log. Throws record_damaged where the damage `isInTheWay`: the row cannot be written. */
  async #setOf(limit: LimitName, isInTheWay: (broken?: string) => boolean): Promise<object | undefined> {
    const [row] = await this.tools.store.limits.list(limit);
    const damage = row && isInTheWay(row.broken) ? this.#damageOf(row) : undefined;
    if (damage) throw damage;
    if (!row?.set) return undefined;
    const { reason, by } = row.set;
    return { ...told(row.set), reason, by };
  }

  async #changed({ kind, name }: LimitName): Promise<Limit> {
    await this.tools.onChanged();
    const [row] = await this.tools.store.limits.list({ kind, name });
    if (!row) throw notFound(name, []);
    return toLimit(row);
  }

  #damageOf({ kind, name, broken }: LimitRow): TaskonautError | undefined {
    if (broken === undefined) return undefined;
    const { location } = this.tools.store;
    const row = `The limit of ${kind} ${name}`;
    return rowDamaged({ location, table: "limits", row, what: `it breaks the rule ${broken}` });
  }

  async #find(name: string, kind: Limit["kind"] | undefined): Promise<LimitName> {
    const { store, own } = this.tools;
    const isMeant = (each: LimitName): boolean => each.name === name && (kind === undefined || each.kind === kind);
    let known: readonly LimitName[] = await store.limits.list();
    const mine = own().filter(isMeant);
    if (!known.some(isMeant) && mine.length > 0) {
      // no worker has told of it yet
      await store.limits.declare(mine);
      known = mine;
    }
    const [found, other] = known.filter(isMeant);
    if (!found) throw notFound(name, [...new Set(known.map((each) => each.name))]);
    if (other) {
      throw invalid("kind", `is needed: a flow and a tool have limits of the name ${name}`);
    }
    return found;
  }
}

function nameOf({ kind, name }: LimitName): string {
  return `${kind} ${name}`;
}

/** Null: as the code says; 0: no limit. */
function told({ running, runningPerKey, rate }: Numbers): object {
  return {
    ...(running !== undefined && { running }),
    ...(runningPerKey !== undefined && { running_per_key: runningPerKey }),
    ...(rate !== undefined && { rate: rate ? tellRate(rate) : rate }),
  };
}

function notFound(name: string, known: readonly string[]): TaskonautError {
  return new TaskonautError(
    "limit_not_found",
    `There is no limit ${JSON.stringify(name)}${suggest(name, known) || "."} A limit is known once a worker has its flow, or a step its tool.`,
    { details: { name } },
  );
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `${path} ${message}.`, { errors: [{ path, message }] });
}

type Numbers = { -readonly [Name in "running" | "runningPerKey"]?: number | null } & { rate?: Rate | 0 | null };

function checkChange({ running, running_per_key: perKey, rate, reason, by }: SetLimit): Numbers {
  const numbers: Numbers = {};
  if (running !== undefined) numbers.running = checkCount("running", running);
  if (perKey !== undefined) numbers.runningPerKey = checkCount("running_per_key", perKey);
  if (rate !== undefined) numbers.rate = checkRate(rate);
  if (Object.keys(numbers).length === 0) throw invalid("", "nothing is set: give running, running_per_key or rate");
  for (const [path, text] of Object.entries({ reason, by })) {
    if (text === undefined) continue;
    const isText = text.length >= 1 && text.length <= IDEMPOTENCY_KEY_MAX && text.isWellFormed();
    if (!isText || text.includes("\0")) throw invalid(path, `must have 1 to ${IDEMPOTENCY_KEY_MAX} characters`);
  }
  return numbers;
}

function checkCount(path: string, given: number | "none" | null): number | null {
  if (given === "none") return 0;
  if (given === null || (Number.isSafeInteger(given) && given >= 1 && given <= COUNT_MAX)) return given;
  throw invalid(path, `must be an integer, 1 to ${COUNT_MAX}, "none" or null, got ${JSON.stringify(given)}`);
}

function checkRate(given: RateNumbers | "none" | null): Rate | 0 | null {
  if (given === "none") return 0;
  if (given === null) return null;
  const { count, per_ms: perMs } = given;
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= COUNT_MAX)) {
    throw invalid("rate.count", `must be an integer, 1 to ${COUNT_MAX}, got ${count}`);
  }
  if (!(Number.isSafeInteger(perMs) && perMs >= 1 && perMs <= RATE_MS_MAX)) {
    throw invalid("rate.per_ms", `must be an integer, 1 to ${RATE_MS_MAX}, got ${perMs}`);
  }
  return { count, perMs };
}

export function toLimit({ kind, name, isKeyed, own, set, running, waiting, begun, nextAt }: LimitRow): Limit {
  const rate = set?.rate ?? own?.rate ?? null;
  const max: LimitNumbersTold = {
    running: (set?.running ?? own?.running) || null,
    running_per_key: (set?.runningPerKey ?? own?.runningPerKey) || null,
    rate: rate ? tellRate(rate) : null,
  };
  const left = max.rate === null ? null : Math.max(0, max.rate.count - begun);
  return {
    kind,
    name,
    keyed: isKeyed,
    max,
    code: own && tellNumbers(own),
    set: set && {
      running: tellSet(set.running),
      running_per_key: tellSet(set.runningPerKey),
      rate: set.rate === 0 ? "none" : set.rate && tellRate(set.rate),
      reason: set.reason,
      by: set.by,
      at: timeOf(set.at),
    },
    running,
    waiting,
    rate_left: left,
    rate_next_at: left === 0 && nextAt !== null ? timeOf(nextAt) : null,
  };
}

/** Of a damaged row it may be none. */
function timeOf(ms: number): string {
  const time = new Date(ms);
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString();
}

function tellNumbers({ running, runningPerKey, rate }: LimitNumbers): LimitNumbersTold {
  return { running, running_per_key: runningPerKey, rate: rate && tellRate(rate) };
}

function tellRate({ count, perMs }: Rate): RateNumbers {
  return { count, per_ms: perMs };
}

function tellSet(number: number | null): number | "none" | null {
  return number === 0 ? "none" : number;
}

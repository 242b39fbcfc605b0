// The audit log: makes entries of changes, lists them, and verifies that they are as they were written.

import type { Acting } from "../../acting.ts";
import {
  AUDIT_FAULTS_MAX,
  AUDIT_PAGE_MAX,
  type AuditEntry,
  type AuditFault,
  type AuditLog,
  type AuditPage,
  type AuditVerdict,
  type Actor,
  type ListAudit,
} from "../../core/api/audit.ts";
import { TaskonautError } from "../../core/errors.ts";
import {
  type AuditAction,
  type AuditRow,
  canonicalEntry,
  readRemoval,
  REASON_MAX,
  type RemovedEntries,
  type TargetKind,
} from "../../core/record/audit.ts";
import type { Json } from "../../core/record/json-value.ts";
import { parseJson } from "../../core/record/json.ts";
import type { Judged } from "../../core/record/judged.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import type { AuditHead, Audited, AuditStore } from "../../store/audit-store.ts";
import { sha256 } from "./secrets.ts";

/** What is done, to what. */
interface Doing {
  readonly action: AuditAction;
  readonly kind: TargetKind;
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Where whoever acts gives none. */
  readonly reason?: string | undefined;
}

/** Returns the entry that goes with a write; nothing if nobody acts. Throws input_invalid. */
export type Audit = (doing: Doing) => Audited;

/** Entries that are read at once. */
const WALK = 500;

/** How far away a moved entry is searched for. */
const MOVED_MAX = 500;

export class AuditDoor implements AuditLog {
  constructor(
    private readonly store: AuditStore,
    private readonly actors: Acting,
    private readonly turnOfLoop: () => Promise<void>,
    /** The store's, for people. */
    private readonly location: string,
  ) {}

  acting<Result>(actor: Actor, act: () => Promise<Result>): Promise<Result> {
    checkReason(actor.reason);
    return this.actors.run(actor, act);
  }

  readonly audit: Audit = ({ action, kind, target, before, after, reason: given }) => {
    const { actor } = this.actors;
    if (!actor) return {};
    const { who, tokenId, role, way, reason = given, requestId, address } = actor;
    return {
      audit: {
        who,
        token_id: tokenId ?? null,
        role,
        way,
        action,
        target_kind: kind,
        target,
        reason: reason ?? null,
        request_id: requestId ?? null,
        address: address ?? null,
        state_before: textOf(before),
        state_after: textOf(after),
      },
    };
  };

  /** What else somebody has changed in an entry, `verify` finds. */
  #told({ damage: what, ...row }: Judged<AuditRow>): AuditEntry {
    const entry = toEntry(row);
    if (what === undefined) return entry;
    const { message } = rowDamaged({ location: this.location, table: "audit_log", row: `Entry ${row.seq}`, what });
    return { ...entry, damage: message };
  }

  async list({ filter = {}, limit, before }: ListAudit): Promise<AuditPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > AUDIT_PAGE_MAX) {
      throw invalid("limit", `must be a whole number from 1 to ${AUDIT_PAGE_MAX}`);
    }
    const { who, action, target, way, since, until } = filter;
    const rows = await this.store.list(
      {
        who: who ?? null,
        action: action ?? null,
        target: target ?? null,
        way: way ?? null,
        since: since ?? null,
        until: until ?? null,
      },
      { limit: limit + 1, before: before ?? null },
    );
    const next = rows.length > limit ? rows[limit - 1]?.seq : undefined;
    return {
      entries: rows.slice(0, limit).map((row) => this.#told(row)),
      ...(next !== undefined && { next }),
    };
  }

  async verify(): Promise<AuditVerdict> {
    // entries that are written meanwhile are not checked
    const head = await this.store.head();
    const walk = new Walk(head);
    for (let after = 0; after < head.seq;) {
      const rows = await this.store.walk(after, WALK);
      const last = rows.at(-1);
      if (!last) break;
      for (const row of rows) {
        if (row.seq > head.seq) break;
        // where somebody has changed much, much is looked for
        if (!walk.see(row)) await this.turnOfLoop();
      }
      after = last.seq;
      await this.turnOfLoop();
    }
    return walk.end();
  }
}

/** Checks entries in order, and collects the faults. */
class Walk {
  readonly #faults: AuditFault[] = [];
  #entries = 0;
  #seq = 0;
  #hash = "";
  /** False after a changed entry: its hash says nothing about the next one. */
  #isKnown = true;
  /** Where it begins that is not the first. */
  #start: AuditRow | undefined;
  /** What the log itself tells of the removal of its oldest entries. */
  #removal: { readonly told: RemovedEntries; readonly entry: number } | undefined;

  constructor(private readonly head: AuditHead) {}

  /** False: it is not as it was written. */
  see(row: AuditRow): boolean {
    this.#entries += 1;
    const { seq } = row;
    if (this.#entries === 1 && seq > 1) {
      this.#start = row;
      this.#isKnown = false;
    } else if (seq > this.#seq + 1) {
      this.#tell("removed", this.#seq + 1, seq - 1, (which, was) => `${which} ${was} removed`);
      this.#isKnown = false;
    }
    const isWhole = hashOf(row) === row.hash;
    if (!isWhole) {
      const place = this.#isFull ? undefined : placeOf(row);
      if (place === undefined) this.#tell("changed", seq, seq, (which) => `${which} was changed`);
      else this.#tell("moved", seq, seq, (which) => `${which} was written as entry ${place}, and moved here`);
      this.#isKnown = false;
    } else if (this.#isKnown && row.previous_hash !== this.#hash) {
      // its own hash fits, so somebody has rewritten it or the entry before
      this.#tell("changed", Math.max(1, seq - 1), seq, () => {
        return seq === 1 ? "entry 1 was written anew" : `entry ${seq - 1} or entry ${seq} was written anew`;
      });
    } else {
      this.#isKnown = true;
      const told = readRemoval(row);
      if (told && told.through < seq) this.#removal = { told, entry: seq };
    }
    this.#seq = seq;
    this.#hash = row.hash;
    return isWhole;
  }

  end(): AuditVerdict {
    const { seq, hash } = this.head;
    if (this.#seq < seq) this.#tell("cut", this.#seq + 1, seq, (which, was) => `${which} ${was} removed from the end`);
    else if (this.#seq > 0 && this.#hash !== hash)
      this.#tell("changed", seq, seq, (which) => `${which} was written anew`);
    const removed = this.#judgeStart();
    const faults = this.#faults;
    return { intact: faults.length === 0, entries: this.#entries, removed, head: { seq, hash }, faults };
  }

  /** What is missing at the beginning the log has to tell of, and the first that is kept is chained to the last of it. */
  #judgeStart(): AuditVerdict["removed"] {
    if (!this.#start) return null;
    const { seq: first, previous_hash } = this.#start;
    const { told, entry } = this.#removal ?? { told: undefined, entry: 0 };
    const through = Math.min(told?.through ?? 0, first - 1);
    if (through < first - 1)
      this.#tell("removed", through + 1, first - 1, (which, was) => `${which} ${was} removed`, "first");
    else if (told && told.through === first - 1 && told.hash !== previous_hash)
      this.#tell("changed", first, first, (which) => `${which} was written anew`, "first");
    return told ? { through, until: new Date(told.until).toISOString(), entry } : null;
  }

  /** No more is told. */
  get #isFull(): boolean {
    return this.#faults.length === AUDIT_FAULTS_MAX;
  }

  #tell(
    kind: AuditFault["kind"],
    first: number,
    last: number,
    tell: (which: string, was: "was" | "were") => string,
    place: "first" | "last" = "last",
  ): void {
    if (this.#isFull && place === "last") return;
    const message = first === last ? tell(`entry ${first}`, "was") : tell(`entries ${first} to ${last}`, "were");
    if (place === "first") this.#faults.splice(AUDIT_FAULTS_MAX - 1);
    this.#faults[place === "first" ? "unshift" : "push"]({ kind, first, last, message });
  }
}

/** The place at which an entry was written, if only its place has changed. */
function placeOf(row: AuditRow): number | undefined {
  for (let distance = 1; distance <= MOVED_MAX; distance++) {
    for (const seq of [row.seq - distance, row.seq + distance]) {
      if (seq >= 1 && hashOf({ ...row, seq }) === row.hash) return seq;
    }
  }
  return undefined;
}

function hashOf(row: AuditRow): string {
  return sha256(canonicalEntry(row));
}

function toEntry(row: AuditRow): AuditEntry {
  const { seq, at, who, token_id, role, way, action, target_kind, target, reason, request_id, address, hash } = row;
  return {
    seq,
    at: new Date(at).toISOString(),
    who,
    token_id,
    role,
    way,
    action,
    target: { kind: target_kind, id: target },
    reason,
    request_id,
    address,
    before: jsonOf(row.state_before),
    after: jsonOf(row.state_after),
    hash,
  };
}

/** What somebody else has written into the table may be no JSON: it is shown as it is. */
function jsonOf(text: string | null): Json {
  if (text === null) return null;
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function textOf(state: unknown): string | null {
  return state === undefined ? null : JSON.stringify(state);
}

/** Throws input_invalid. */
export function checkReason(reason: string | undefined): void {
  if (reason === undefined) return;
  const isText = reason.length >= 1 && reason.length <= REASON_MAX && reason.isWellFormed() && !reason.includes("\0");
  if (!isText) throw invalid("reason", `must have 1 to ${REASON_MAX} characters`);
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `${path} ${message}.`, { errors: [{ path, message }] });
}

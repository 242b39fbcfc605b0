// The table `audit_log`. The method that makes a change writes its entry, in the same transaction.
//
// AU1. A change and its entry are written together, or neither is.
// AU2. Entries have no gap and no fork: each is chained to the one before under one lock, which is taken last of all.

import type { Judged } from "../core/record/judged.ts";
import type { AuditDraft, AuditRow, Way } from "../core/record/audit.ts";

/** Audit entries that a write may bring with it. */
export interface Audited {
  readonly audit?: AuditDraft | undefined;
}

/** Null: any value. Times are in milliseconds, in store time. */
export interface AuditMatch {
  readonly who: string | null;
  readonly action: string | null;
  readonly target: string | null;
  readonly way: Way | null;
  readonly since: number | null;
  readonly until: number | null;
}

/** The position of a page. */
export interface AuditPlace {
  readonly limit: number;
  readonly before: number | null;
}

/** The last entry; 0 and an empty hash: there is none. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

export interface AuditStore {
  /** Newest first, from below `before`. Null: from the newest. */
  list(match: AuditMatch, page: AuditPlace): Promise<readonly Judged<AuditRow>[]>;
  /** As they are, in order, from beyond `after`. */
  walk(after: number, limit: number): Promise<readonly AuditRow[]>;
  /** Throws record_damaged. */
  head(): Promise<AuditHead>;
  /**
   * The last of the oldest entries that are older than `keptMs`, by the store's clock, counted in whole steps of
   * `stepMs`; at most OLD_MAX entries. Undefined: even the oldest one is newer.
   */
  findOld(age: { readonly keptMs: number; readonly stepMs: number }): Promise<OldEntries | undefined>;
  /**
   * Removes the oldest entries up to this one, at most REMOVED_AT_ONCE, and returns how many. `audit`: the entry about
   * the removal, which is written first unless it exists.
   */
  removeOld(removal: { readonly through: number; readonly audit?: AuditDraft | undefined }): Promise<number>;
}

/** The most entries that one query looks at. */
export const OLD_MAX = 5000;

/** The most entries that one write removes. */
export const REMOVED_AT_ONCE = 1000;

export interface OldEntries extends AuditHead {
  /** Only entries from before then, in store time. */
  readonly until: number;
}

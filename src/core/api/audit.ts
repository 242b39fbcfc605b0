// The audit log: what people and tokens have changed, who, when and why.

import type { TargetKind, Way } from "../record/audit.ts";
import type { Json } from "../record/json-value.ts";
import type { Role } from "./roles.ts";
import type { Timestamp } from "./task.ts";

/** Who acts. */
export interface Actor {
  /** For people: the name of the token, or user and host. */
  readonly who: string;
  readonly tokenId?: string | undefined;
  readonly role: Role;
  readonly way: Way;
  /** Why: 1 to 1000 characters. */
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
  readonly address?: string | undefined;
}

export interface AuditEntry {
  /** 1, 2, 3 … in the order of the changes. */
  readonly seq: number;
  readonly at: Timestamp;
  readonly who: string;
  readonly token_id: string | null;
  readonly role: string;
  readonly way: Way;
  /** As the command is called that does it: `cancel-task`, `limits set`. */
  readonly action: string;
  readonly target: { readonly kind: TargetKind; readonly id: string };
  readonly reason: string | null;
  readonly request_id: string | null;
  readonly address: string | null;
  /** What has changed, and to what. */
  readonly before: Json;
  readonly after: Json;
  /** SHA-256; it covers the hash of the entry before. */
  readonly hash: string;
  /** What is wrong with its row: then the rest is only what can be read of it. */
  readonly damage?: string;
}

export interface AuditFilter {
  /** The whole name. */
  readonly who?: string | undefined;
  readonly action?: string | undefined;
  /** The whole id or name of the target. */
  readonly target?: string | undefined;
  readonly way?: Way | undefined;
  /** Milliseconds since 1970: from then on, and before then. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface ListAudit {
  readonly filter?: AuditFilter;
  /** 1 to AUDIT_PAGE_MAX. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly before?: number;
}

/** Entries of a page at most. */
export const AUDIT_PAGE_MAX = 1000;

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Unset on the last page. */
  readonly next?: number;
}

/** What does not fit. */
export interface AuditFault {
  /** `changed`: its text is not what was hashed; `removed`: it is not there; `moved`: it stood at another place; `cut`: the end of the log is gone. */
  readonly kind: "changed" | "removed" | "moved" | "cut";
  /** The entries that it is about, from the first to the last. */
  readonly first: number;
  readonly last: number;
  readonly message: string;
}

export interface AuditVerdict {
  /** Whether nothing was found. */
  readonly intact: boolean;
  /** Entries that were looked at. */
  readonly entries: number;
  /** What was removed because a setting says so, up to this entry; null: nothing is missing at the beginning. */
  readonly removed: {
    readonly through: number;
    /** They were from before then. */
    readonly until: Timestamp;
    /** The entry that tells so. */
    readonly entry: number;
  } | null;
  /** The last entry. Saved elsewhere, it shows later whether the log up to it is unchanged. */
  readonly head: { readonly seq: number; readonly hash: string };
  /** AUDIT_FAULTS_MAX at most. */
  readonly faults: readonly AuditFault[];
}

export const AUDIT_FAULTS_MAX = 20;

export interface AuditLog {
  /** Records everything that `act` does under this name. A server decides itself who acts, and takes only the reason. */
  acting<Result>(actor: Actor, act: () => Promise<Result>): Promise<Result>;
  /** Throws input_invalid. */
  list(request: ListAudit): Promise<AuditPage>;
  /** Walks the whole log. */
  verify(): Promise<AuditVerdict>;
}

// The table of tokens. It has only SHA-256 hashes of random secrets, so nobody can log in with its contents.

import type { Role } from "../core/api/roles.ts";
import type { Judged } from "../core/record/judged.ts";
import type { Audited } from "./audit-store.ts";

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Names of flows, as a JSON array; null: all. */
  readonly flows: string | null;
  readonly hides_payloads: 0 | 1;
  /** SHA-256 of the whole token, hexadecimal. */
  readonly secret_hash: string;
  /** The hash of the secret before the last rotation, which is accepted until `old_until`. */
  readonly old_hash: string | null;
  readonly old_until: number | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

/** Times are the store's. */
export interface TokenStore {
  /** `expiresInMs`: from now on. Returns the row. */
  insert(token: NewTokenRow, audited?: Audited): Promise<TokenRow>;
  /** By created_at. */
  list(): Promise<readonly Judged<TokenRow>[]>;
  read(id: string): Promise<Judged<TokenRow> | undefined>;
  /** Whether there is a token that was not revoked: even an expired one means that a token is required. */
  isAny(): Promise<boolean>;
  /** The current hash becomes the old one, for `graceMs`. Undefined if there is no working token. */
  rotate(
    id: string,
    change: { readonly hash: string; readonly graceMs: number },
    audited?: Audited,
  ): Promise<Judged<TokenRow> | undefined>;
  /** A second call changes nothing. Undefined if there is no such token. */
  revoke(id: string, audited?: Audited): Promise<Judged<TokenRow> | undefined>;
  noteUse(id: string): Promise<void>;
}

type NewTokenRow = Pick<TokenRow, "id" | "name" | "role" | "flows" | "hides_payloads" | "secret_hash"> & {
  readonly expiresInMs: number | null;
};

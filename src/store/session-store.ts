// The table of sessions. It has only hashes of random secrets, so nobody can log in with its contents.

import type { Audited } from "./audit-store.ts";

export interface SessionRow {
  readonly hash: string;
  /** Null: the token that the server was started with. */
  readonly token_id: string | null;
  /** The hash of the secret of the presented token. */
  readonly secret_hash: string | null;
  readonly created_at: number;
  readonly used_at: number;
}

/** Times are the store's. */
export interface SessionStore {
  /** Also removes sessions that were not used for `idleMs`. */
  insert(
    session: Pick<SessionRow, "hash" | "token_id" | "secret_hash">,
    options: Audited & { readonly idleMs: number },
  ): Promise<void>;
  read(hash: string): Promise<SessionRow | undefined>;
  noteUse(hash: string): Promise<void>;
  /** False if there was none. */
  remove(hash: string, audited?: Audited): Promise<boolean>;
}

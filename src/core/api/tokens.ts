// Tokens: a caller with a token may do what its role allows. The secret is shown once; the store has only its hash.

import type { Role } from "./roles.ts";
import type { Timestamp } from "./task.ts";

export interface Token {
  readonly id: string;
  /** For people: `ci`, `grafana`. */
  readonly name: string;
  readonly role: Role;
  /** It reaches only tasks of these flows; null: of all. */
  readonly flows: readonly string[] | null;
  /** Inputs and outputs are not shown to it. */
  readonly hides_payloads: boolean;
  /** `active`, or the reason why it is refused. */
  readonly state: "active" | "expired" | "revoked";
  readonly created_at: Timestamp;
  readonly expires_at: Timestamp | null;
  readonly revoked_at: Timestamp | null;
  /** To the minute. */
  readonly last_used_at: Timestamp | null;
  /** After a rotation the secret before it is taken until then. */
  readonly old_secret_until: Timestamp | null;
  /** What is wrong with its row: then the rest is only what can be read of it, and the token is refused. */
  readonly damage?: string;
}

export interface CreateToken {
  /** 1 to 100 characters. */
  readonly name: string;
  readonly role: Role;
  readonly flows?: readonly string[];
  readonly hidesPayloads?: boolean;
  /** From now on, in milliseconds; unset: it does not expire. */
  readonly expiresInMs?: number;
}

export interface NewToken {
  readonly token: Token;
  /** `tkn_<id>_<43 characters>`: nobody can tell it again. */
  readonly secret: string;
  /** What looks like a mistake and was done all the same: the token is for a flow that nobody knows. */
  readonly warnings: readonly string[];
}

/** What whoever has shown a token may do. */
export interface Caller {
  /** Of the token; unset: the store has none of it. */
  readonly id?: string;
  /** No token was wanted. */
  readonly isAnybody?: true;
  /** By a session of the dashboard. */
  readonly bySession?: true;
  /** Of the token. */
  readonly name: string;
  readonly role: Role;
  readonly flows: readonly string[] | null;
  readonly hidesPayloads: boolean;
}

export interface Tokens {
  /** Throws input_invalid. */
  create(request: CreateToken): Promise<NewToken>;
  /** By created_at, those included that no longer work. */
  list(): Promise<readonly Token[]>;
  /** Gives the token another secret. The old one is accepted for `graceMs` longer. Throws token_not_found, token_not_active. */
  rotate(id: string, graceMs: number): Promise<NewToken>;
  /** Ends the token. Other servers on the same database notice within 5 s. Throws token_not_found. */
  revoke(id: string): Promise<Token>;
}

/** What a server asks of the tokens of its store, beside that. */
export interface Gate extends Tokens {
  /** Whether anybody has to show one: there is a token that works, or was one. Up to 5 s old. */
  isGuarded(): Promise<boolean>;
  /** Undefined: it is none of the store's, or works no more. Up to 5 s old. */
  admit(secret: string): Promise<Caller | undefined>;
}

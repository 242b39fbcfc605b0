// Login to the dashboard: a person enters a token once, and the browser keeps a session, which ends with the token.

import type { Role } from "./roles.ts";
import type { Caller } from "./tokens.ts";

/** It ends when it was not used for so long. */
export const SESSION_IDLE_MS = 12 * 3_600_000;

export interface Session {
  /** What the browser keeps: 256 random bits. The store has its hash alone. */
  readonly secret: string;
  readonly caller: Caller;
}

/** Who asks, as `GET /session` tells it. */
export interface SessionFacts {
  readonly name: string;
  readonly role: Role;
  readonly flows: readonly string[] | null;
  readonly hides_payloads: boolean;
  /** `session`: of the dashboard; `token`: the request has one; `open`: this server wants none. */
  readonly by: "session" | "token" | "open";
}

/** What a server with a store offers to those who log in. */
export interface Sessions {
  /** Undefined: the token is none of the store's, or works no more. */
  open(token: string): Promise<Session | undefined>;
  /** A session for the token that the server was started with. It ends if the server is started with another one. */
  openForOwner(ownerToken: string, caller: Caller): Promise<Session>;
  /** Undefined: there is none, or it has ended. Up to 5 s old. `owner`: it is of the token that the server has. */
  find(secret: string, ownerToken: string | undefined): Promise<Caller | "owner" | undefined>;
  /** Harmless where there is none. Other servers on the same database hear of it within 5 s. */
  end(secret: string, ownerToken: string | undefined): Promise<void>;
}

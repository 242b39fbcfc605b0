import type { Session, Sessions } from "../../src/core/api/sessions.ts";
import type { Caller } from "../../src/core/api/tokens.ts";
import type { FakeTokens } from "./fake-tokens.ts";

/** Sessions in memory, of tokens that are. */
export class FakeSessions implements Sessions {
  readonly kept = new Map<string, { readonly token: string; readonly isOwner: boolean }>();

  constructor(private readonly tokens: FakeTokens) {}

  async open(token: string): Promise<Session | undefined> {
    const caller = await this.tokens.admit(token);
    return caller && { secret: this.#keep(token, false), caller };
  }

  async openForOwner(token: string, caller: Caller): Promise<Session> {
    return { secret: this.#keep(token, true), caller };
  }

  async find(secret: string, ownerToken: string | undefined): Promise<Caller | "owner" | undefined> {
    const found = this.kept.get(secret);
    if (!found) return undefined;
    if (found.isOwner) return found.token === ownerToken ? "owner" : undefined;
    return this.tokens.admit(found.token);
  }

  async end(secret: string): Promise<void> {
    this.kept.delete(secret);
  }

  #keep(token: string, isOwner: boolean): string {
    const secret = `session-${crypto.randomUUID()}`;
    this.kept.set(secret, { token, isOwner });
    return secret;
  }
}

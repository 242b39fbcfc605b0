import { TaskonautError } from "../../src/core/errors.ts";
import type { CreateToken, Gate, NewToken, Token } from "../../src/core/api/tokens.ts";

const AT = "2026-11-23T00:00:00.000Z";

/** One that lets a viewer in everywhere, with what is said here in its place. */
export function tokenOf(over: Partial<Token> = {}): Token {
  return {
    id: "t1",
    name: "ci",
    role: "viewer",
    flows: null,
    hides_payloads: false,
    state: "active",
    created_at: AT,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    old_secret_until: null,
    ...over,
  };
}

/** Tokens in memory; the secret of `abc` is `secret-of-abc`. */
export class FakeTokens implements Gate {
  readonly all: Token[] = [];

  async create({ name, role, flows = [], hidesPayloads = false }: CreateToken): Promise<NewToken> {
    const token = tokenOf({
      id: `token-${this.all.length + 1}`,
      name,
      role,
      flows: flows.length > 0 ? flows : null,
      hides_payloads: hidesPayloads,
    });
    this.all.push(token);
    return { token, secret: secretOf(token.id), warnings: [] };
  }

  async list(): Promise<readonly Token[]> {
    return this.all;
  }

  async rotate(id: string): Promise<NewToken> {
    return { token: this.#find(id), secret: secretOf(id), warnings: [] };
  }

  async revoke(id: string): Promise<Token> {
    const revoked: Token = { ...this.#find(id), state: "revoked", revoked_at: AT };
    this.all[this.all.findIndex((token) => token.id === id)] = revoked;
    return revoked;
  }

  async isGuarded(): Promise<boolean> {
    return this.all.some(({ state }) => state !== "revoked");
  }

  async admit(secret: string): ReturnType<Gate["admit"]> {
    const found = this.all.find(({ id, state }) => state === "active" && secretOf(id) === secret);
    return found && { name: found.name, role: found.role, flows: found.flows, hidesPayloads: found.hides_payloads };
  }

  #find(id: string): Token {
    const found = this.all.find((token) => token.id === id);
    if (!found) throw new TaskonautError("token_not_found", `Token ${JSON.stringify(id)} not found`);
    return found;
  }
}

function secretOf(id: string): string {
  return `secret-of-${id}`;
}

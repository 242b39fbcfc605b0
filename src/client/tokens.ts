// Tokens over HTTP, for admins.

import type { NewToken, Tokens } from "../core/api/tokens.ts";
import { NewTokenAnswer, TokenAnswer, TokensAnswer } from "../core/api/token-answers.ts";
import type { Transport } from "./transport.ts";

export function createTokens(ask: Transport["ask"]): Tokens {
  const made = async (path: string, body: object): Promise<NewToken> => {
    const answer = await ask({ method: "POST", path, body: JSON.stringify(body), answer: NewTokenAnswer });
    const { secret, warnings, ...token } = answer.body;
    return { token, secret, warnings };
  };
  return {
    create: ({ name, role, flows, hidesPayloads, expiresInMs }) =>
      made("/tokens", {
        name,
        role,
        flows,
        hides_payloads: hidesPayloads,
        ...(expiresInMs !== undefined && { expires_in: `${expiresInMs}ms` }),
      }),
    list: async () => (await ask({ path: "/tokens", answer: TokensAnswer })).body,
    rotate: (id, graceMs) => made(pathOf(id, "rotate"), { grace: `${graceMs}ms` }),
    revoke: async (id) => (await ask({ method: "POST", path: pathOf(id, "revoke"), answer: TokenAnswer })).body,
  };
}

function pathOf(id: string, order: string): string {
  return `/tokens/${encodeURIComponent(id)}/${order}`;
}

// Tokens, asked of a server by an admin.

import * as v from "valibot";
import { ROLES } from "../core/api/roles.ts";
import type { NewToken, Token, Tokens } from "../core/api/tokens.ts";
import type { Answer } from "./answers.ts";
import type { Transport } from "./transport.ts";

const TextOrNull = v.nullable(v.string());

const TOKEN = {
  id: v.string(),
  name: v.string(),
  role: v.picklist(ROLES),
  flows: v.nullable(v.array(v.string())),
  hides_payloads: v.boolean(),
  state: v.picklist(["active", "expired", "revoked"] satisfies Token["state"][]),
  created_at: v.string(),
  expires_at: TextOrNull,
  last_used_at: TextOrNull,
};

const TokenAnswer = v.looseObject(TOKEN) as unknown as Answer<Token>;
const NewTokenAnswer = v.looseObject({ ...TOKEN, secret: v.string() }) as unknown as Answer<
  Token & { readonly secret: string }
>;
const TokensAnswer = v.array(v.looseObject(TOKEN)) as unknown as Answer<readonly Token[]>;

export function createTokens(ask: Transport["ask"]): Tokens {
  const made = async (path: string, body: object): Promise<NewToken> => {
    const answer = await ask({ method: "POST", path, body: JSON.stringify(body), answer: NewTokenAnswer });
    const { secret, ...token } = answer.body;
    return { token, secret };
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

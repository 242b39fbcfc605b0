// What a server answers about tokens (`contract.ts`).

import * as v from "valibot";
import { type Answer, Text, Time, TimeOrNull } from "./contract.ts";
import { ROLES } from "./roles.ts";
import type { NewToken, Token } from "./tokens.ts";

const TOKEN = {
  id: Text,
  name: Text,
  role: v.picklist(ROLES),
  flows: v.nullable(v.array(Text)),
  hides_payloads: v.boolean(),
  state: v.picklist(["active", "expired", "revoked"] satisfies Token["state"][]),
  created_at: Time,
  expires_at: TimeOrNull,
  revoked_at: TimeOrNull,
  last_used_at: TimeOrNull,
  old_secret_until: TimeOrNull,
  damage: v.exactOptional(Text),
};

export const TokenAnswer: Answer<Token> = v.looseObject(TOKEN);

export const TokensAnswer: Answer<readonly Token[]> = v.array(TokenAnswer);

/** The secret is told this once. */
export const NewTokenAnswer: Answer<Token & Pick<NewToken, "secret" | "warnings">> = v.looseObject({
  ...TOKEN,
  secret: Text,
  warnings: v.array(Text),
});

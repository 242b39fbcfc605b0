// What a server answers about sessions (`contract.ts`).

import * as v from "valibot";
import { type Answer, Text } from "./contract.ts";
import { ROLES } from "./roles.ts";
import type { SessionFacts } from "./sessions.ts";

export const SessionAnswer: Answer<SessionFacts> = v.looseObject({
  name: Text,
  role: v.picklist(ROLES),
  flows: v.nullable(v.array(Text)),
  hides_payloads: v.boolean(),
  by: v.picklist(["session", "token", "open"] satisfies SessionFacts["by"][]),
});

export const LoggedOutAnswer = v.looseObject({ logged_in: v.literal(false) });

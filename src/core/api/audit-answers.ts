// What a server answers about the audit log (`contract.ts`).

import * as v from "valibot";
import { TARGET_KINDS, WAYS } from "../record/audit.ts";
import type { AuditEntry, AuditFault, AuditPage, AuditVerdict } from "./audit.ts";
import { type Answer, Payload, Text, TextOrNull, Time, Whole, word } from "./contract.ts";

const EntryAnswer: Answer<AuditEntry> = v.looseObject({
  seq: Whole,
  at: Time,
  who: Text,
  token_id: TextOrNull,
  role: Text,
  way: word(WAYS),
  action: Text,
  target: v.looseObject({ kind: word(TARGET_KINDS), id: Text }),
  reason: TextOrNull,
  request_id: TextOrNull,
  address: TextOrNull,
  before: Payload,
  after: Payload,
  hash: Text,
  damage: v.exactOptional(Text),
});

export const AuditPageAnswer: Answer<AuditPage> = v.looseObject({
  entries: v.array(EntryAnswer),
  next: v.exactOptional(Whole),
});

export const AuditVerdictAnswer: Answer<AuditVerdict> = v.looseObject({
  intact: v.boolean(),
  entries: Whole,
  removed: v.nullable(v.looseObject({ through: Whole, until: Time, entry: Whole })),
  head: v.looseObject({ seq: Whole, hash: Text }),
  faults: v.array(
    v.looseObject({
      kind: word<AuditFault["kind"]>(["changed", "removed", "moved", "cut"]),
      first: Whole,
      last: Whole,
      message: Text,
    }),
  ),
});

// The audit log of a server. The token says who acts, and a header says why.

import type { Acting } from "../acting.ts";
import type { AuditFilter, AuditLog } from "../core/api/audit.ts";
import { AuditPageAnswer, AuditVerdictAnswer } from "../core/api/audit-answers.ts";
import { isoTime } from "../core/api/audit-text.ts";
import type { Transport } from "./transport.ts";

export function createAudit(ask: Transport["ask"], actors: Acting): AuditLog {
  return {
    acting: (actor, act) => actors.run(actor, act),
    async list({ filter = {}, limit, before }) {
      const query = queryOf(filter);
      query.set("limit", String(limit));
      if (before !== undefined) query.set("before", String(before));
      return (await ask({ path: `/audit-log?${query.toString()}`, answer: AuditPageAnswer })).body;
    },
    // it reads the whole log
    verify: async () => (await ask({ path: "/audit-log/verify", patient: true, answer: AuditVerdictAnswer })).body,
  };
}

function queryOf({ since, until, ...texts }: AuditFilter): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(texts)) if (value !== undefined) query.set(name, value);
  if (since !== undefined) query.set("since", isoTime(since));
  if (until !== undefined) query.set("until", isoTime(until));
  return query;
}

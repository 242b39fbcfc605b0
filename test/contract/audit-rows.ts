// An entry for tests.

import type { AuditDraft } from "../../src/core/record/audit.ts";

export const draftOf = (target: string, more: Partial<AuditDraft> = {}): AuditDraft => ({
  who: "Ada",
  token_id: null,
  role: "admin",
  way: "cli",
  action: "pause",
  target_kind: "tool",
  target,
  reason: null,
  request_id: null,
  address: null,
  state_before: null,
  state_after: '{"abort":false}',
  ...more,
});

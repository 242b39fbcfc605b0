// Why somebody acts: it goes into the audit log.

import { REASON_HEADER, writeReason } from "../core/api/audit-text.ts";

export interface Reason {
  /** Of the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the command. */
  readonly words: readonly string[];
}

export function reasonOf(typed: string): Reason {
  const reason = typed.trim();
  if (reason === "") return { headers: {}, words: [] };
  return { headers: { [REASON_HEADER]: writeReason(reason) }, words: ["--reason", reason] };
}

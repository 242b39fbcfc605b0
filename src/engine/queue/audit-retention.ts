// A worker's duty to remove entries of the audit log that are older than a setting says.
//
// AR1. Before entries are removed, an entry is written that names them, with the hash of the last one. The oldest kept
//      entry is chained to that hash. So `verify` knows what the setting has removed, and finds everything else that is
//      missing.
// AR2. The oldest entries are removed first, without a gap, and whole days at a time, so that entries about removals do
//      not fill the log.

import { readRemoval, REMOVAL, type RemovedEntries } from "../../core/record/audit.ts";
import type { AuditDraft } from "../../core/record/audit.ts";
import { REMOVED_AT_ONCE } from "../../store/audit-store.ts";
import type { Store } from "../../store/store.ts";
import { hasPassed } from "../process/has-passed.ts";
import type { DriverTools } from "../task/driver-tools.ts";
import type { Duty } from "./maintenance.ts";

const HOUR_MS = 3_600_000;

/** How often to check whether it is time. */
const LOOK_MS = 1000;

/** The pause between two removing writes: others come first. */
const REST_MS = 100;

export interface AuditRetentionTools extends Pick<DriverTools, "clock" | "log"> {
  readonly store: Pick<Store, "audit">;
  readonly limits: { readonly auditKeptMs: number | null };
}

/** Undefined if entries are kept forever. */
export function auditRetentionDuties(tools: AuditRetentionTools): readonly Duty[] {
  const { clock, limits } = tools;
  const { auditKeptMs: keptMs } = limits;
  if (keptMs === null) return [];
  const everyMs = Math.min(HOUR_MS, Math.max(LOOK_MS, keptMs / 24));
  let nextAt = clock.now() + everyMs / 60;
  return [
    {
      name: "remove audit entries",
      everyMs: LOOK_MS,
      async do(signal) {
        if (clock.now() < nextAt) return;
        if (await removeOld(keptMs, tools, signal)) nextAt = clock.now() + everyMs;
      },
    },
  ];
}

/** False if the signal came. */
async function removeOld(
  keptMs: number,
  { clock, store, log }: AuditRetentionTools,
  signal: AbortSignal,
): Promise<boolean> {
  const stepMs = Math.min(24 * HOUR_MS, Math.ceil(keptMs / 24));
  for (;;) {
    const old = await store.audit.findOld({ keptMs, stepMs });
    if (!old) return true;
    const { seq: through, hash, until } = old;
    // AR1. Somebody may have written the entry, and then stopped.
    const isTold = (await lastRemoval(store)) >= through;
    let audit = isTold ? undefined : entryOf({ through, hash, until, kept_ms: keptMs });
    for (let removed = REMOVED_AT_ONCE; removed === REMOVED_AT_ONCE;) {
      removed = await store.audit.removeOld({ through, audit });
      audit = undefined;
      if (removed > 0) log.info?.("audit entries removed", { entries: removed, through });
      if (!(await hasPassed(REST_MS, signal, clock))) return false;
    }
  }
}

/** The last entry that the newest removal entry names; 0: there is no such entry. */
async function lastRemoval({ audit }: AuditRetentionTools["store"]): Promise<number> {
  const { action, target } = REMOVAL;
  const match = { who: null, action, target, way: null, since: null, until: null };
  const [row] = await audit.list(match, { limit: 1, before: null });
  return row === undefined ? 0 : (readRemoval(row)?.through ?? 0);
}

function entryOf(removed: RemovedEntries): AuditDraft {
  return {
    ...REMOVAL,
    who: "retention",
    role: "worker",
    way: "worker",
    token_id: null,
    reason: null,
    request_id: null,
    address: null,
    state_before: null,
    state_after: JSON.stringify(removed),
  };
}

// The periodic duties of a worker, besides its tasks.

import { APART_MS } from "../../store/counter-store.ts";
import type { Store } from "../../store/store.ts";
import type { CommitWriter } from "../process/commit-writer.ts";
import type { LimitDesk } from "../process/limit-desk.ts";
import { auditRetentionDuties, type AuditRetentionTools } from "./audit-retention.ts";
import type { Duty } from "./maintenance.ts";
import { retentionDuty, type RetentionTools } from "./retention.ts";

/** How often a worker compacts the counts. */
const FOLD_MS = 5_000;

/** How often the counts per minute are compacted. */
const HISTORY_MS = 300_000;

export interface DutyTools extends RetentionTools, AuditRetentionTools {
  readonly limits: RetentionTools["limits"] & AuditRetentionTools["limits"];
  readonly store: RetentionTools["store"] & AuditRetentionTools["store"] & Pick<Store, "counts" | "counters">;
  readonly writer: Pick<CommitWriter, "batches">;
  readonly limitDesk: Pick<LimitDesk, "settle">;
}

export function dutiesOf(tools: DutyTools): readonly Duty[] {
  return [
    retentionDuty(tools),
    ...auditRetentionDuties(tools),
    { name: "grant tickets", everyMs: 1000, do: () => tools.limitDesk.settle() },
    foldDuty(tools),
    historyDuty(tools),
  ];
}

/** Every write adds counts. If nobody writes, there is nothing to compact, and no query is made. */
function foldDuty({ store, writer }: Pick<DutyTools, "store" | "writer">): Duty {
  let folded = 0;
  return {
    name: "put counts together",
    everyMs: FOLD_MS,
    async do() {
      const { batches } = writer;
      if (batches === folded) return;
      await store.counts.fold();
      folded = batches;
    },
  };
}

/** The counts of processes are compacted while somebody writes, and until all of them are old enough. */
function historyDuty({ store, writer, clock }: Pick<DutyTools, "store" | "writer" | "clock">): Duty {
  let batches = 0;
  let until = 0;
  return {
    name: "put counters together",
    everyMs: HISTORY_MS,
    async do() {
      const now = clock.now();
      if (writer.batches !== batches) until = now + APART_MS + 2 * HISTORY_MS;
      batches = writer.batches;
      if (now < until) await store.counters.fold();
    },
  };
}

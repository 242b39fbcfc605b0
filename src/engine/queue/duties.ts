// The periodic duties of a worker, besides its tasks.

import { APART_MS } from "../../store/counter-store.ts";
import type { Store } from "../../store/store.ts";
import { expireTasks, type ExpiryTools } from "../driving/expiry.ts";
import type { CommitWriter } from "../process/commit-writer.ts";
import type { LimitDesk } from "../process/limit-desk.ts";
import { auditRetentionDuties, type AuditRetentionTools } from "./audit-retention.ts";
import type { Duty } from "./maintenance.ts";
import { retentionDuty, type RetentionTools } from "./retention.ts";

/** How often a worker compacts the counts. */
const FOLD_MS = 5_000;

/** How often the counts per minute are compacted. */
const HISTORY_MS = 300_000;

/** How often to look for expired tasks: while there is activity, and while there is none. */
const EXPIRY_MS = 1_000;
const IDLE_EXPIRY_MS = 60_000;

export interface DutyTools extends RetentionTools, AuditRetentionTools, ExpiryTools {
  readonly limits: RetentionTools["limits"] & AuditRetentionTools["limits"];
  readonly store: RetentionTools["store"] &
    AuditRetentionTools["store"] &
    ExpiryTools["store"] &
    Pick<Store, "counts" | "counters">;
  readonly writer: ExpiryTools["writer"] & Pick<CommitWriter, "batches">;
  readonly limitDesk: Pick<LimitDesk, "settle">;
}

export function dutiesOf(tools: DutyTools): readonly Duty[] {
  return [
    retentionDuty(tools),
    ...auditRetentionDuties(tools),
    expiryDuty(tools),
    { name: "grant tickets", everyMs: 1000, do: () => tools.limitDesk.settle() },
    foldDuty(tools),
    historyDuty(tools),
  ];
}

/** Whoever claims an expired task ends it; this duty is for tasks that nobody claims. */
function expiryDuty(tools: DutyTools): Duty {
  const { clock, writer } = tools;
  let batches = -1;
  let lookAt = 0;
  return {
    name: "expire tasks",
    everyMs: EXPIRY_MS,
    async do(signal) {
      if (batches === writer.batches && clock.now() < lookAt) return;
      batches = writer.batches;
      const hasFound = await expireTasks(tools, signal);
      lookAt = clock.now() + (hasFound ? EXPIRY_MS : IDLE_EXPIRY_MS);
    },
  };
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

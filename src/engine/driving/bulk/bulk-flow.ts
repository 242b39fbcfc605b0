// The flow of operations on many tasks. It comes with the engine, because its tool works through the engine.
//
// BF1. The tool does a portion and returns where the next one begins. If a process dies in a portion, the portion is
//      repeated, but nothing is done twice (`actions.ts`).
// BF2. Portions grow, so that any number of tasks fits into the steps that a task may have.

import * as v from "valibot";
import { addTotals, BULK_ACTIONS, BULK_FLOW, type BulkTotals, NO_TOTALS } from "../../../core/api/bulk.ts";
import { defineFlow, type Flow } from "../../../core/flow/flow.ts";
import { call } from "../../../core/flow/operation.ts";
import { defineTool } from "../../../core/flow/tool.ts";
import type { ListKey } from "../../../store/store.ts";

/** The work of one call of the tool. */
export interface PortionRequest {
  /** The task of the operation. */
  readonly taskId: string;
  /** Where the last portion ended; null: nothing is done yet. */
  readonly after: ListKey | null;
  /** It ends after this much time. */
  readonly ms: number;
  readonly signal: AbortSignal;
}

export interface Portion extends BulkTotals {
  /** Null: everything is done. */
  readonly next: ListKey | null;
}

const Count = v.pipe(v.number(), v.integer());
const Key = v.nullable(v.strictObject({ createdAt: Count, id: v.string() }));
const Reasons = v.array(v.strictObject({ reason: v.string(), tasks: Count, example: v.nullable(v.string()) }));

/** BF2. */
const FIRST_MS = 1000;
const MORE_MS = 100;

export function createBulkFlow(doPortion: (request: PortionRequest) => Promise<Portion>): Flow {
  const portion = defineTool({
    name: `${BULK_FLOW}.portion`,
    description: "Acts on the next tasks that match.",
    input: v.strictObject({ after: Key, ms: Count }),
    output: v.strictObject({ done: Count, pending: Count, skipped: Reasons, failed: Reasons, next: Key }),
    timeout: "30m",
    // a long outage of the database is not a failure of an operation that may be repeated at any time
    retry: { attempts: 1000, base: "1s", max: "30s" },
    run: async ({ after, ms }, { taskId, signal }) => {
      const { skipped, failed, ...rest } = await doPortion({ taskId, after, ms, signal });
      return { ...rest, skipped: [...skipped], failed: [...failed] };
    },
  });
  return defineFlow({
    name: BULK_FLOW,
    description: "Acts on all tasks that match a filter.",
    input: v.strictObject({
      action: v.picklist(BULK_ACTIONS),
      filter: v.string(),
      at: v.number(),
      signal: v.nullable(v.strictObject({ name: v.string(), payload: v.unknown() })),
      force: v.boolean(),
    }),
    *run() {
      let totals: BulkTotals = NO_TOTALS;
      let after: ListKey | null = null;
      for (let ms = FIRST_MS; ; ms += MORE_MS) {
        const { next, ...done }: Portion = yield* call(portion, { after, ms }, { as: "portion" });
        totals = addTotals(totals, done);
        if (next === null) return totals;
        after = next;
      }
    },
  }) as Flow;
}

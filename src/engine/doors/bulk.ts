// Turns a request for an operation on many tasks into what it acts on. Nothing is read or written here.
//
// BK1. The preview fixes what an operation acts on: its filter, with every time in it, and the moment. A task that is
//      created later does not match, and a task that has failed again since is not retried.
// BK2. A token belongs to one action, filter, payload and moment. So what is started is what was previewed.

import { BULK_ACTIONS, BULK_FLOW, type BulkAction, type BulkRequest } from "../../core/api/bulk.ts";
import { checkFilter, filterText, parseFilterText, pinFilter } from "../../core/api/filter-text.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Limits } from "../../core/limits.ts";
import { NEXT, type TaskStatus } from "../../core/record/status.ts";
import { canonicalJson } from "../../core/record/json.ts";
import type { RowFilter } from "../../core/record/row-filter.ts";
import type { Flows } from "../task/flows.ts";
import { readSignal } from "./signal.ts";

/** The input of the task of an operation. */
export interface BulkOperation {
  readonly action: BulkAction;
  /** `filterText`, in which no time depends on when it is read (BK1). */
  readonly filter: string;
  /** In store time. */
  readonly at: number;
  readonly signal: { readonly name: string; readonly payload: unknown } | null;
  /** Of a cancel. */
  readonly force: boolean;
}

/** `at`: the store's time. Throws input_invalid. */
export function toOperation(
  { action, filter: given, signal, force = false }: BulkRequest,
  at: number,
  { flows, limits }: { readonly flows: Flows; readonly limits: Pick<Limits, "inputBytes"> },
): BulkOperation {
  if (!BULK_ACTIONS.includes(action)) {
    throw invalid("action", `expected ${BULK_ACTIONS.join(", ")}, received ${JSON.stringify(action)}`);
  }
  if (action === "signal" && !signal) throw invalid("signal", "is missing: the signal's name, and its payload");
  if (action !== "signal" && signal) throw invalid("signal", `means nothing to ${action}`);
  if (action !== "cancel" && force) throw invalid("force", `means nothing to ${action}`);
  const filter = checkFilter(given);
  if (signal) {
    for (const name of filter.flow ?? []) {
      const flow = flows.get(name);
      if (flow) readSignal(flow, { ...signal, bytesMax: limits.inputBytes });
    }
  }
  return {
    action,
    filter: filterText(pinFilter(filter, at)),
    at,
    signal: signal ? { name: signal.name, payload: signal.payload ?? null } : null,
    force,
  };
}

export function tokenOf(operation: BulkOperation): string {
  const { action, filter, at, signal, force } = operation;
  const text = JSON.stringify([action, filter, at, signal && canonicalJson(JSON.stringify(signal)), force]);
  return `${at}-${new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** When the operation of the token was shown. Throws input_invalid. */
export function momentOf(token: string): number {
  const [, at] = /^(\d{1,15})-[0-9a-f]{32}$/.exec(token) ?? [];
  if (at === undefined) throw invalid("token", "is none of a preview: ask for one first");
  return Number(at);
}

/** BK2. Throws input_invalid. */
export function checkToken(token: string, operation: BulkOperation): void {
  if (tokenOf(operation) === token) return;
  throw invalid("token", "belongs to another action, filter, signal or force: ask for a preview of this one");
}

/** What the operation acts on, in terms of rows; undefined: nothing matches. */
export function matchOf({ action, at }: BulkOperation, row: RowFilter): RowFilter | undefined {
  const { statuses, isParked } = ACTS_ON[action];
  const matching = row.statuses?.filter((status) => statuses.includes(status)) ?? statuses;
  if (matching.length === 0) return undefined;
  // BK1. A time since which something is to have come about is written by the clock of whoever does it: see `retry`
  const after = at + 1;
  return {
    ...row,
    statuses: matching,
    isParked: row.isParked || isParked,
    created: { ...row.created, until: earlier(row.created.until, after) },
    ...(action === "retry" && { finished: { ...row.finished, until: earlier(row.finished.until, after) } }),
    ...(action === "resume" && { updated: { ...row.updated, until: earlier(row.updated.until, after) } }),
  };
}

/** An operation acts on no other operation, unless its filter names their flow. */
export function isMeant({ filter: text }: BulkOperation, flowName: string): boolean {
  if (flowName !== BULK_FLOW) return true;
  return text !== "" && parseFilterText(text).flow?.includes(BULK_FLOW) === true;
}

const STATUSES = Object.keys(NEXT) as readonly TaskStatus[];
const ENDED = STATUSES.filter((status) => NEXT[status].length === 0);
const OPEN = STATUSES.filter((status) => NEXT[status].length > 0);

const ACTS_ON: Readonly<Record<BulkAction, { readonly statuses: readonly TaskStatus[]; readonly isParked: boolean }>> =
  {
    cancel: { statuses: OPEN, isParked: false },
    signal: { statuses: OPEN, isParked: false },
    resume: { statuses: OPEN, isParked: true },
    retry: { statuses: ["FAILED"], isParked: false },
    delete: { statuses: ENDED, isParked: false },
  };

function earlier(one: number | null, other: number): number {
  return one === null ? other : Math.min(one, other);
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `The request breaks its contract: ${path}: ${message}.`, {
    errors: [{ path, message }],
  });
}

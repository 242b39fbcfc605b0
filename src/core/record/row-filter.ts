// What a store searches tasks by: a filter whose times are known, in terms of rows.

import type { TaskStatus } from "./status.ts";

/** Since this time, and before that; null: without an end. Milliseconds since 1970. */
export interface Span {
  readonly since: number | null;
  readonly until: number | null;
}

export interface FullFlow {
  readonly name: string;
  /** There is no room for tasks of whose key so many are held; 0: there is none for any. */
  readonly perKey: number;
  /** A task of it is due that was to begin by then. */
  readonly dueBy: number;
}

export interface RowFilter {
  /** Any of them; null: whatever. */
  readonly flows: readonly string[] | null;
  readonly statuses: readonly TaskStatus[] | null;
  readonly isParked: boolean;
  /** Its `waits` has one of these bits or more (`waits.ts`). 0, without `signals`: it is not asked for. */
  readonly waits: number;
  /** Or it waits for one of these signals. */
  readonly signals: readonly string[];
  /** Or it is held by nobody, neither parked nor ended, and of one of these flows, which are paused; ALL_FLOWS: of any. */
  readonly pausedFlows: readonly string[];
  /** Or it is due, held by nobody, and of one of these flows, whose limits have no room for it. */
  readonly fullFlows: readonly FullFlow[];
  readonly isInDoubt: boolean;
  /** It is parked, in doubt, or waits for a signal. */
  readonly needsPerson: boolean;
  /** All of them. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly created: Span;
  readonly updated: Span;
  readonly finished: Span;
  /** Within the message of its error, in any case of the letters A to Z. */
  readonly error: string | null;
  readonly parentId: string | null;
  readonly schedule: string | null;
  readonly priority: number | null;
}

/** No flow has this name. */
export const ALL_FLOWS = "*";

const ALWAYS: Span = { since: null, until: null };

/** Lets every task through. */
export const ANY_TASK: RowFilter = {
  flows: null,
  statuses: null,
  isParked: false,
  waits: 0,
  signals: [],
  pausedFlows: [],
  fullFlows: [],
  isInDoubt: false,
  needsPerson: false,
  tags: [],
  created: ALWAYS,
  updated: ALWAYS,
  finished: ALWAYS,
  error: null,
  parentId: null,
  schedule: null,
  priority: null,
};

// Limits over all workers in a store: the numbers of the code, the numbers that were set, and the tickets for tools.
// (Claims enforce the limits of flows: `claimTasks`.)
//
// TK1. A step whose tool has a limit runs only with a ticket. A ticket is a row of the step: it waits, or it is
//      granted. The step keeps its ticket, whichever process drives the task, until the ticket is returned. A step that
//      has ended keeps it as long as the process lives that has asked for it since the grant, because its tool may still
//      run there; but not longer than LEAVING_MS.
// TK2. Only one process at a time grants tickets of a limit, under the limit's lock: as many as the limit has room for.
//      Keys take turns, and within a key the oldest requests come first.
// TK3. When a waiting step is granted a ticket, the same commit posts it to the task's inbox and makes the task due.
// TK4. A ticket of a task that nobody drives does not block others for long: if others wait, it is taken back.
// TK5. While a tool is paused, its steps wait in the line that `pauseLine` names: as in a limit that has no room until
//      the pause is over, and then room for all.
// TK6. Each request has a token. A ticket is returned only under the token of the last request: so a late return does
//      not take the ticket away from a newer request. It begins with the id of the worker that asks, and a space.
// TK7. A rate counts when steps begin, not when they are granted their tickets: a task that has been granted one may wait
//      a while for a worker. So the start counts from the request that finds the ticket. If the rate's time has passed
//      since the grant, others may have begun in its place: then there has to be room again, or the step waits on.

import type { Audited } from "./audit-store.ts";

/** At most `count` begin within any period of `perMs`. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

type LimitKind = "flow" | "tool";

export interface LimitName {
  readonly kind: LimitKind;
  readonly name: string;
}

/** Null: not limited. */
export interface LimitNumbers {
  readonly running: number | null;
  readonly runningPerKey: number | null;
  readonly rate: Rate | null;
}

/** The numbers of the code. */
export interface OwnLimit extends LimitName, LimitNumbers {
  readonly isKeyed: boolean;
}

export interface TicketRequest {
  readonly taskId: string;
  readonly stepId: string;
  /** Empty: the limit has no key. */
  readonly key: string;
  /** A new one for each request. */
  readonly token: string;
}

/** TK6. */
export interface GivenBack {
  readonly taskId: string;
  readonly stepId: string;
  readonly token: string;
}

export interface Granting {
  /** The requested steps that have a ticket now. */
  readonly granted: readonly string[];
  /** Tasks that waited and are due now. */
  readonly woken: readonly string[];
}

export interface Settling {
  readonly woken: readonly string[];
  /** Whether somebody still waits. */
  readonly isWaiting: boolean;
}

/** The numbers to set for a limit: unset stays as it is, null is the code's number, 0 is no limit. */
export interface LimitSetting {
  readonly running?: number | null;
  readonly runningPerKey?: number | null;
  readonly rate?: Rate | 0 | null;
  readonly reason: string | null;
  readonly by: string;
}

export interface LimitRow extends LimitName {
  readonly isKeyed: boolean;
  /** Null: no code has declared it. */
  readonly own: LimitNumbers | null;
  /** The numbers that were set: null is the code's number, 0 is no limit. Null: nothing is set. */
  readonly set: {
    readonly running: number | null;
    readonly runningPerKey: number | null;
    readonly rate: Rate | 0 | null;
    readonly reason: string | null;
    readonly by: string;
    readonly at: number;
  } | null;
  /** How many run now: for a flow the held tasks, for a tool the granted tickets. */
  readonly running: number;
  /** How many wait, up to WAITING_MAX: for a flow the due tasks that nobody holds. */
  readonly waiting: number;
  /** How many have begun within the rate's time; 0 without a rate. */
  readonly begun: number;
  /** When the first of these no longer counts, in store time. */
  readonly nextAt: number | null;
  /** The row is damaged: the rule that it breaks. */
  readonly broken?: string;
}

/** The largest count. */
export const WAITING_MAX = 100_000;

/** How a task or a step waits. */
export interface LinePlace {
  /** How many of its key, or of all if there are no keys, come before it; up to WAITING_MAX. */
  readonly before: number;
}

export interface TaskPlace extends LinePlace {
  /** How many of its key are held; 0 if it has no key. */
  readonly ofKey: number;
}

export interface LimitStore {
  /** Declares the code's current numbers of these limits. */
  declare(limits: readonly OwnLimit[]): Promise<void>;
  /**
   * Requests tickets of a tool's declared limit. Steps without a grant wait in line (TK3). Repeating a request is
   * harmless.
   */
  take(limit: string, asked: readonly TicketRequest[]): Promise<Granting>;
  /** Returns these steps' tickets of the limit, and grants them to others. Returns the tasks that are due now. */
  giveBack(limit: string, given: readonly GivenBack[]): Promise<readonly string[]>;
  /**
   * Takes back tickets that are held for nothing (TK4), and grants free places, for all limits that somebody waits for.
   */
  settle(): Promise<Settling>;
  /** All declared limits, by kind and name; or only this one, without the number of waiting. */
  list(only?: LimitName): Promise<readonly LimitRow[]>;
  /** False: there is no such limit. */
  set(limit: LimitName, setting: LimitSetting, audited?: Audited): Promise<boolean>;
  /** The code's numbers apply again. False: there is no such limit. */
  reset(limit: LimitName, audited?: Audited): Promise<boolean>;
  /** Undefined: it does not wait in line. */
  placeOfStep(taskId: string, stepId: string): Promise<LinePlace | undefined>;
  placeOfTask(taskId: string): Promise<TaskPlace | undefined>;
}

/** TK4. */
export const UNDRIVEN_MS = 60_000;

/** TK1. */
export const LEAVING_MS = 600_000;

/** The most tickets that one call grants. */
export const GRANT_MAX = 500;

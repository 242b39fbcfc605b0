// Limits over all workers in a store: the numbers of the code, the numbers that were set, and the tickets for tools. (Claims
// enforce the limits of flows: `claimTasks`.)
//
// TK1. A step whose tool has a limit runs only with a ticket. A ticket is a row of the step: it waits, or it is granted. The
//      step keeps its ticket, whichever process drives the task, until the ticket is returned, or its step or task has ended.
// TK2. Only one process at a time grants tickets of a limit, under the limit's lock: as many as the limit has room for. Keys
//      take turns, and within a key the oldest requests come first.
// TK3. When a waiting step is granted a ticket, the same commit posts it to the task's inbox and makes the task due.
// TK4. A ticket of a task that nobody drives does not block others for long: if others wait, it is taken back.
// TK5. While a tool is paused, its steps wait in the line that `pauseLine` names: as in a limit that has no room until the
//      pause is over, and then room for all.
// TK6. Each request has a token. A ticket is returned only under the token of the last request: so a late return does not take
//      the ticket away from a newer request.

import type { Audited } from "./audit-store.ts";

/** No more than `count` begin within any stretch of time as long as `perMs`. */
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

/** What the code says. */
export interface OwnLimit extends LimitName, LimitNumbers {
  readonly isKeyed: boolean;
}

export interface TicketRequest {
  readonly taskId: string;
  readonly stepId: string;
  /** Empty: the limit has no key. */
  readonly key: string;
  /** Another each time that it is asked for. */
  readonly token: string;
}

/** TK6. */
export interface GivenBack {
  readonly taskId: string;
  readonly stepId: string;
  readonly token: string;
}

export interface Granting {
  /** Of the steps that were asked for: those that have a ticket now. */
  readonly granted: readonly string[];
  /** Tasks that waited, and are due now. */
  readonly woken: readonly string[];
}

export interface Settling {
  readonly woken: readonly string[];
  /** Whether somebody still waits. */
  readonly isWaiting: boolean;
}

/** What somebody sets of a limit: unset stays as it is, null is what the code says, 0 is no limit. */
export interface LimitSetting {
  readonly running?: number | null;
  readonly runningPerKey?: number | null;
  readonly rate?: Rate | 0 | null;
  readonly reason: string | null;
  readonly by: string;
}

export interface LimitRow extends LimitName {
  readonly isKeyed: boolean;
  /** Null: no code has said anything of it. */
  readonly own: LimitNumbers | null;
  /** What is set: null is what the code says, 0 is no limit. Null: nothing is set. */
  readonly set: {
    readonly running: number | null;
    readonly runningPerKey: number | null;
    readonly rate: Rate | 0 | null;
    readonly reason: string | null;
    readonly by: string;
    readonly at: number;
  } | null;
  /** How many run now: of a flow the tasks that are held, of a tool the tickets that are granted. */
  readonly running: number;
  /** How many wait, up to WAITING_MAX: of a flow the tasks that are due and held by nobody. */
  readonly waiting: number;
  /** How many have begun within the time of the rate; 0 without one. */
  readonly begun: number;
  /** When the first of these counts no more, in store time. */
  readonly nextAt: number | null;
}

/** More are not counted. */
export const WAITING_MAX = 100_000;

/** How a task or a step waits. */
export interface LinePlace {
  /** How many of its key, or of all where there are no keys, come before it; up to WAITING_MAX. */
  readonly before: number;
}

export interface TaskPlace extends LinePlace {
  /** How many of its key are held; 0 where it has none. */
  readonly ofKey: number;
}

export interface LimitStore {
  /** What the code says now of these limits. */
  declare(limits: readonly OwnLimit[]): Promise<void>;
  /**
   * Asks for tickets of a tool's limit, which was declared. Those that are not granted wait in line (TK3). Asking again
   * for the same step is harmless.
   */
  take(limit: string, asked: readonly TicketRequest[]): Promise<Granting>;
  /** Gives back what these steps have of the limit, and grants it to others. Gives the tasks that are due now. */
  giveBack(limit: string, given: readonly GivenBack[]): Promise<readonly string[]>;
  /** Takes back what is held for nothing (TK4), and grants what there is room for, of all limits that somebody waits for. */
  settle(): Promise<Settling>;
  /** All that were declared, by kind and name; or this one, of which it is not counted how many wait. */
  list(only?: LimitName): Promise<readonly LimitRow[]>;
  /** False: there is no such limit. */
  set(limit: LimitName, setting: LimitSetting, audited?: Audited): Promise<boolean>;
  /** What the code says counts again. False: there is no such limit. */
  reset(limit: LimitName, audited?: Audited): Promise<boolean>;
  /** Undefined: it does not wait in line. */
  placeOfStep(taskId: string, stepId: string): Promise<LinePlace | undefined>;
  placeOfTask(taskId: string): Promise<TaskPlace | undefined>;
}

/** TK4. */
export const UNDRIVEN_MS = 60_000;

/** So many tickets are granted in one go. */
export const GRANT_MAX = 500;

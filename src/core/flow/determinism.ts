// Knows whether a flow's program runs now, and which one. The wrappers around nondeterministic functions
// (`flows/guards.ts`) ask it, and so do `now()`, `random()`, `uuid()` and `log`. It is module state, because the wrapped
// globals are.

import { during } from "./activity.ts";
import { type BoundFlow, FlowStuckError, within } from "./flow-bound.ts";
import type { LogMethod } from "../log.ts";
import { isA } from "../record/stored-error.ts";
import { OWN_FORM, setStackForm, stackForm } from "./own-stacks.ts";

/** A flow has called something that could give another result on replay. */
export class DeterminismError extends Error {
  override readonly name = "DeterminismError";
}

/** Of one branch: how many of its `finally` blocks are under way, one within the other (`shield.ts`). */
export interface Shield {
  depth: number;
}

/** What a flow may know besides its input and outcomes. It is the same live and on replay. */
export interface FlowScope {
  readonly taskId: string;
  /** When the last observation was recorded; before the first, when the task was created. Milliseconds since 1970. */
  now: number;
  /** The branch that runs now. */
  path: string;
  /** Of that branch; undefined where none runs. */
  shield: Shield | undefined;
  /** How many values each branch has drawn. */
  readonly draws: Map<string, number>;
  /** Undefined on replay and where nobody listens. */
  log: LogMethod | undefined;
}

/** One program's watch: remembers its first violation, which a `catch` in the flow cannot make undone. */
export interface Watch {
  violation: DeterminismError | FlowStuckError | undefined;
  /** Whose code it is; unset: it is not bound. */
  readonly flow?: BoundFlow;
  readonly scope?: FlowScope;
  /** The names of operations that were created and not yet used. One that stays here was not needed, or was forgotten. */
  readonly unused?: Map<object, string>;
}

let current: Watch | undefined;

/** How stacks look outside of flows. */
let stacksOutside = stackForm();

/** Runs a part of a program under its watch, and within its bound. Synchronous: when it returns, the flag is as it was. */
export function underWatch<T>(watch: Watch, run: () => T): T {
  if (current !== undefined || watch.flow === undefined) return watched(watch, run);
  // a flow that was cut short does not go on, whatever it would catch
  if (watch.violation instanceof FlowStuckError) throw watch.violation;
  if (watch.flow.file === undefined) return bounded(watch, watch.flow, run);
  const { flow } = watch;
  return during("flow", { taskId: watch.scope?.taskId ?? "" }, () => bounded(watch, flow, run));
}

function bounded<T>(watch: Watch, flow: BoundFlow, run: () => T): T {
  const stacks = stackForm();
  try {
    return within(flow, () => watched(watch, run));
  } catch (error) {
    // asked like this: a flow may throw a Proxy, which throws when it is asked
    if (isA(error, FlowStuckError)) {
      current = undefined; // what is cut short leaves everything as it is
      setStackForm(stacks);
      watch.violation ??= error;
    }
    throw error;
  }
}

function watched<T>(watch: Watch, run: () => T): T {
  const outer = current;
  current = watch;
  const stacks = setStackForm(OWN_FORM);
  if (outer === undefined) stacksOutside = stacks;
  try {
    return run();
  } finally {
    setStackForm(stacks);
    current = outer;
  }
}

/** Runs what is not the flow's: the log reads a clock, and may. */
export function outsideWatch<T>(run: () => T): T {
  const outer = current;
  if (outer === undefined) return run();
  current = undefined;
  const own = setStackForm(stacksOutside);
  try {
    return run();
  } finally {
    setStackForm(own);
    current = outer;
  }
}

/** Whether a program runs now: the one question of every wrapper. */
export function isWatched(): boolean {
  return current !== undefined;
}

/** The scope of the program that runs now. */
export function currentScope(): FlowScope | undefined {
  return current?.scope;
}

/** The program that runs now has made an operation, which is of no use before it is yielded or given to a group. */
export function noteMade(operation: object, name: string): void {
  current?.unused?.set(operation, name);
}

export function noteUsed(operation: object): void {
  current?.unused?.delete(operation);
}

/** Where a call is, as far as that is known: in the user's files, and in which package that they use. */
interface Whereabouts {
  readonly place?: string | undefined;
  readonly package?: string | undefined;
}

/** Records the violation and throws it. `call` is what was called, `instead` what to write in its place. */
export function violate(call: string, instead: string, where: Whereabouts = {}): never {
  const through = where.package === undefined ? "" : ` through the package ${where.package}`;
  const at = where.place === undefined ? "" : ` at ${where.place}`;
  const error = new DeterminismError(
    `A flow called ${call}${through}${at}, which gives another result on replay. ${instead}`,
  );
  if (current) current.violation ??= error;
  throw error;
}

// The wrapper that all guards are made of. Plain functions, not proxies: outside of flows one adds 3 to 15 ns to a call,
// a proxy's `apply` trap adds 130 (measured).

import { isWatched, violate } from "../../core/flow/determinism.ts";
import { callerOf } from "./caller.ts";

/** What a guarded call is called in messages, what to write in its place, and what else happens around it. */
export interface Guard {
  /** Without parentheses: `Math.random`. */
  readonly call: string;
  readonly instead: string | Judge;
  /**
   * For a question that packages ask without need (the time, for a field that nobody reads): the answer that the task
   * has for it, the same on every replay. Undefined: it has none, and the call is refused as everywhere.
   */
  readonly answer?: (
    args: readonly unknown[],
    isNew: boolean,
    self: unknown,
  ) => { readonly value: unknown } | undefined;
  /** Before a call outside of flows. */
  readonly before?: (args: readonly unknown[]) => void;
  /** Gives what a call outside of flows gives. */
  readonly after?: (result: unknown, args: readonly unknown[]) => unknown;
}

/** Gives what to write instead; undefined for a use that gives the same result everywhere and always: it passes. */
export type Judge = (args: readonly unknown[], isNew: boolean, self?: unknown) => string | undefined;

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** What has its guards: functions that are guards, and what has been looked through. Beside it, for much of it is final. */
const guarded = new WeakSet<object>();

export function isGuarded(value: object): boolean {
  return guarded.has(value);
}

export function markGuarded<T extends object>(value: T): T {
  guarded.add(value);
  return value;
}

/**
 * The same function or class to everyone but a running flow: `instanceof`, `extends`, statics, name and length stay.
 * What is guarded already comes back as it is.
 */
export function guardFunction<F extends object>(original: F, guard: Guard): F {
  if (isGuarded(original)) return original;
  const target = original as F & Callable & { prototype?: { constructor?: unknown } };
  const called = guard.before || guard.after ? withHooks(target, guard) : target;
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    if (isWatched()) {
      const answer = judge(guard, { self: this, args, isNew: new.target !== undefined }, wrapper);
      if (answer) return answer.value;
    }
    if (new.target === undefined) return Reflect.apply(called, this, args);
    return Reflect.construct(called, args, new.target === wrapper ? target : new.target);
  };
  const { prototype } = target;
  // statics are inherited, so that what changes on the original later is seen here too
  Object.setPrototypeOf(wrapper, target);
  Object.defineProperties(wrapper, {
    name: { value: target.name, configurable: true },
    length: { value: target.length, configurable: true },
    prototype: { value: prototype },
  });
  if (prototype && Object.hasOwn(prototype, "constructor") && prototype.constructor === target) {
    Object.defineProperty(prototype, "constructor", { value: wrapper, writable: true, configurable: true });
  }
  return markGuarded(wrapper as unknown as F);
}

/** The function with what happens around it outside of flows. By itself, for most have nothing and are to cost no more. */
function withHooks(target: Callable, { before, after }: Guard): Callable {
  return function (this: unknown, ...args: unknown[]): unknown {
    const isFree = !isWatched();
    if (isFree) before?.(args);
    const result: unknown = new.target
      ? Reflect.construct(target, args, new.target)
      : Reflect.apply(target, this, args);
    return isFree && after ? after(result, args) : result;
  };
}

/** Undefined: the call may go on. Throws where it may not. */
function judge(
  { call, instead, answer }: Guard,
  { self, args, isNew }: { readonly self: unknown; readonly args: readonly unknown[]; readonly isNew: boolean },
  wrapper: object,
): { readonly value: unknown } | undefined {
  const advice = typeof instead === "string" ? instead : instead(args, isNew, self);
  if (advice === undefined) return undefined;
  const caller = callerOf(wrapper);
  const given = caller.isPackage ? answer?.(args, isNew, self) : undefined;
  if (given) return given;
  return violate(`${isNew ? "new " : ""}${call}(${args.length > 0 ? "…" : ""})`, advice, caller.place);
}

/** For a property whose mere value is refused: a flow that reads it has called nothing. */
export interface ReadGuard {
  readonly call: string;
  readonly instead: string;
  /** Packages look at settings of the process to see how they should go about, not to compute with them. */
  readonly isOpenToPackages?: boolean;
}

export function guardGetter(get: (this: unknown) => unknown, guard: ReadGuard): () => unknown {
  const getter = function (this: unknown): unknown {
    if (isWatched()) {
      const { isPackage, place } = callerOf(getter);
      if (!(isPackage && guard.isOpenToPackages === true)) violate(guard.call, guard.instead, place);
    }
    return Reflect.apply(get, this, []);
  };
  return markGuarded(getter);
}

interface Property extends Omit<PropertyDescriptor, "get" | "set"> {
  readonly get?: (this: unknown) => unknown;
  readonly set?: (this: unknown, value: unknown) => void;
  readonly value?: unknown;
}

export function propertyOf(owner: object, key: PropertyKey): Property | undefined {
  return Object.getOwnPropertyDescriptor(owner, key);
}

/** Puts a value in the place of an own property; false where it is final. */
export function replaceProperty(owner: object, key: PropertyKey, property: Property, value: unknown): boolean {
  if (property.configurable) {
    const { enumerable = false } = property;
    Object.defineProperty(owner, key, { value, configurable: true, enumerable, writable: true });
    return true;
  }
  return property.writable === true && Reflect.set(owner, key, value);
}

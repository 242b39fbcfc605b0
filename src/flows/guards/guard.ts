// The wrapper that all guards use. It is a plain function, not a proxy: outside of flows it adds 3 to 15 ns to a call,
// and a proxy's `apply` trap adds 130 (measured).

import { isWatched, violate } from "../../core/flow/determinism.ts";
import { adviceIn } from "./advice.ts";
import { callerOf } from "./caller.ts";

/** A guarded call: its name in messages, what to use instead, and hooks around it. */
export interface Guard {
  /** The name without parentheses: `Math.random`. */
  readonly call: string;
  readonly instead: string | Judge;
  /**
   * For a call that packages make without need (such as the time, for an unused field): the task's answer, the same on
   * every replay. Undefined: there is none, and the call is refused as usual.
   */
  readonly answer?: (
    args: readonly unknown[],
    isNew: boolean,
    self: unknown,
  ) => { readonly value: unknown } | undefined;
  /** Called before a call outside of flows. */
  readonly before?: (args: readonly unknown[]) => void;
  /** Returns the result of a call outside of flows. */
  readonly after?: (result: unknown, args: readonly unknown[]) => unknown;
}

/** Returns what to use instead. Undefined: this use has the same result everywhere and always, and is allowed. */
export type Judge = (args: readonly unknown[], isNew: boolean, self?: unknown) => string | undefined;

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** Guard functions, and objects that are already guarded. In a separate set, because many of them are final. */
const guarded = new WeakSet<object>();

export function isGuarded(value: object): boolean {
  return guarded.has(value);
}

export function markGuarded<T extends object>(value: T): T {
  guarded.add(value);
  return value;
}

/**
 * The same function or class, except in a running flow: `instanceof`, `extends`, statics, name and length are kept. A
 * guarded function is returned unchanged.
 */
export function guardFunction<F extends object>(original: F, guard: Guard): F {
  if (isGuarded(original)) return original;
  const target = original as F & Callable & { prototype?: { constructor?: unknown } };
  const called = guard.before || guard.after ? withHooks(target, guard) : target;
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    if (isWatched()) {
      const answer = judge(guard, { self: this, args, isNew: new.target !== undefined }, wrapper);
      if (answer) return new.target === undefined ? answer.value : ofClass(answer.value, new.target);
    }
    if (new.target === undefined) return Reflect.apply(called, this, args);
    return Reflect.construct(called, args, new.target === wrapper ? target : new.target);
  };
  const { prototype } = target;
  // statics are inherited, so later changes of the original are visible here too
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

/** Classes of packages extend the guarded one (`class UTCDate extends Date`): what `super()` makes is of their class. */
function ofClass(value: unknown, type: Callable): unknown {
  return Object.setPrototypeOf(value, type.prototype as object);
}

/** Adds hooks for calls outside of flows. Separate, because most guards have none and should not pay for them. */
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

/** Undefined: the call is allowed. Throws if it is not. */
function judge(
  { call, instead, answer }: Guard,
  { self, args, isNew }: { readonly self: unknown; readonly args: readonly unknown[]; readonly isNew: boolean },
  wrapper: object,
): { readonly value: unknown } | undefined {
  const advice = typeof instead === "string" ? instead : instead(args, isNew, self);
  if (advice === undefined) return undefined;
  const caller = callerOf(wrapper);
  const given = caller.package === undefined ? undefined : answer?.(args, isNew, self);
  if (given) return given;
  return violate(
    `${isNew ? "new " : ""}${call}(${args.length > 0 ? "…" : ""})`,
    adviceIn(caller.package, advice),
    caller,
  );
}

/** For a property whose value is already refused: a flow that reads it does not call anything. */
export interface ReadGuard {
  readonly call: string;
  readonly instead: string;
  /** Packages read settings of the process to choose how to work, not to compute with them. */
  readonly isOpenToPackages?: boolean;
}

export function guardGetter(get: (this: unknown) => unknown, guard: ReadGuard): () => unknown {
  const getter = function (this: unknown): unknown {
    if (isWatched()) {
      const caller = callerOf(getter);
      const isOpen = caller.package !== undefined && guard.isOpenToPackages === true;
      if (!isOpen) violate(guard.call, guard.instead, caller);
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

/** Replaces an own property's value. Returns false if the property is final. */
export function replaceProperty(owner: object, key: PropertyKey, property: Property, value: unknown): boolean {
  if (property.configurable) {
    const { enumerable = false } = property;
    Object.defineProperty(owner, key, { value, configurable: true, enumerable, writable: true });
    return true;
  }
  return property.writable === true && Reflect.set(owner, key, value);
}

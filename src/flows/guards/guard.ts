// The wrapper that all guards are made of. Plain functions, not proxies: outside of flows one adds 3 to 15 ns to a call,
// a proxy's `apply` trap adds 130 (measured).

import { isWatched, violate } from "../../core/determinism.ts";

/** What a guarded call is called in messages, and what to write in its place. */
export interface Guard {
  /** Without parentheses: `Math.random`. */
  readonly call: string;
  readonly instead: string | Judge;
}

/** Gives what to write instead; undefined for a use that gives the same result everywhere and always: it passes. */
export type Judge = (args: readonly unknown[], isNew: boolean) => string | undefined;

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** On what is guarded already. */
export const GUARDED = Symbol("taskonaut.guarded");

/**
 * The same function or class to everyone but a running flow: `instanceof`, `extends`, statics, name and length stay.
 * What is guarded already comes back as it is.
 */
export function guardFunction<F extends object>(original: F, guard: Guard): F {
  if (Object.hasOwn(original, GUARDED)) return original;
  const target = original as F & Callable & { prototype?: { constructor?: unknown } };
  const guarded = function (this: unknown, ...args: unknown[]): unknown {
    if (isWatched()) refuse(guard, args, new.target !== undefined);
    if (new.target === undefined) return Reflect.apply(target, this, args);
    return Reflect.construct(target, args, new.target === guarded ? target : new.target);
  };
  const { prototype } = target;
  // statics are inherited, so that what changes on the original later is seen here too
  Object.setPrototypeOf(guarded, target);
  Object.defineProperties(guarded, {
    name: { value: target.name, configurable: true },
    length: { value: target.length, configurable: true },
    prototype: { value: prototype },
    [GUARDED]: { value: true },
  });
  if (prototype && Object.hasOwn(prototype, "constructor") && prototype.constructor === target) {
    Object.defineProperty(prototype, "constructor", { value: guarded, writable: true, configurable: true });
  }
  return guarded as unknown as F;
}

/** Puts guards on own members of an object: functions with what hangs on them (`hrtime.bigint`), and getters. */
export function guardMembers(owner: object, keys: Iterable<PropertyKey>, guardOf: (key: string) => Guard): void {
  for (const key of keys) {
    const guard = guardOf(String(key));
    const member = propertyOf(owner, key)?.value;
    if (typeof member === "function" && !Object.hasOwn(member, GUARDED)) {
      for (const inner of Reflect.ownKeys(member)) {
        // a symbol: what `promisify(setTimeout)` takes in place of the function
        const suffix = typeof inner === "string" ? `.${inner}` : "";
        if (inner !== "prototype") guardMember(member, inner, { ...guard, call: guard.call + suffix });
      }
    }
    guardMember(owner, key, guard);
  }
}

function guardMember(owner: object, key: PropertyKey, guard: Guard): void {
  const property = propertyOf(owner, key);
  if (property?.configurable && property.get) {
    Object.defineProperty(owner, key, { ...property, get: guardFunction(property.get, guard) });
  } else if (typeof property?.value === "function") {
    const value = guardFunction(property.value, guard);
    if (property.configurable) Object.defineProperty(owner, key, { ...property, value });
    else if (property.writable) Reflect.set(owner, key, value);
  }
}

interface Property extends Omit<PropertyDescriptor, "get" | "set"> {
  readonly get?: (this: unknown) => unknown;
  readonly value?: unknown;
}

export function propertyOf(owner: object, key: PropertyKey): Property | undefined {
  return Object.getOwnPropertyDescriptor(owner, key);
}

function refuse({ call, instead }: Guard, args: readonly unknown[], isNew: boolean): void {
  const advice = typeof instead === "string" ? instead : instead(args, isNew);
  if (advice !== undefined) violate(`${isNew ? "new " : ""}${call}(${args.length > 0 ? "…" : ""})`, advice);
}

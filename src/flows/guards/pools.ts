// Pools of random bytes. Packages that make ids (nanoid, uuid) fill a buffer once and cut many ids from it, so whether
// a call draws from the generator depends on what the process has done before. A flow cannot read a filled buffer: its
// length and its methods are refused, and only plain indexes work. To find its place in the buffer, a package must use
// one of the refused members.

import { USE_UUID } from "./advice.ts";
import { guardFunction, guardGetter, propertyOf } from "./guard.ts";

/** A key, a salt or a nonce is smaller, and is not a pool: it is used up at once. */
const POOL_BYTES_MIN = 64;

/** By the buffer's original prototype. */
const prototypes = new WeakMap<object, object>();

export function markPool(view: unknown): void {
  if (!ArrayBuffer.isView(view) || view.byteLength < POOL_BYTES_MIN) return;
  const prototype = Object.getPrototypeOf(view) as object;
  let guarded = prototypes.get(prototype);
  if (!guarded) {
    guarded = guardedPrototype(prototype);
    prototypes.set(prototype, guarded);
    prototypes.set(guarded, guarded); // for a buffer that is filled again
  }
  if (guarded !== prototype) Object.setPrototypeOf(view, guarded);
}

const CALL = "a buffer of random bytes that was filled before (nanoid and uuid keep one):";

function guardedPrototype(original: object): object {
  const guarded = Object.create(original) as object;
  const inherited: object[] = [];
  for (let owner = original; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object)
    inherited.push(owner);
  // the nearest prototype comes last, so it wins
  for (const owner of inherited.toReversed()) {
    for (const key of Reflect.ownKeys(owner)) {
      if (key === "constructor" || key === Symbol.toStringTag) continue;
      const call = `${CALL} ${String(key)}`;
      const { get, value } = propertyOf(owner, key) ?? {};
      const property = get
        ? { get: guardGetter(get, { call, instead: USE_UUID }) }
        : typeof value === "function"
          ? { value: guardFunction(bind(value), { call, instead: USE_UUID }), writable: true }
          : undefined;
      if (property) Object.defineProperty(guarded, key, { ...property, configurable: true });
    }
  }
  return guarded;
}

/** A new function, because a guarded one would be returned unchanged. */
function bind(method: object): object {
  return function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method as (...all: unknown[]) => unknown, this, args);
  };
}

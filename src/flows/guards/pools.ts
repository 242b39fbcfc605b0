// Random bytes that are kept. Packages that make ids (nanoid, uuid) fill a buffer once and cut many ids from it, so whether
// one of their calls draws from the generator depends on what the process has done before. A buffer that was filled
// refuses to be read by a flow: its length, its methods, everything but a bare index; and to know where it stands in
// its buffer, a package must ask for one of them.

import { USE_UUID } from "./advice.ts";
import { guardFunction, guardGetter, propertyOf } from "./guard.ts";

/** A key, a salt or a nonce is smaller, and no pool: it is used up at once. */
const POOL_BYTES_MIN = 64;

/** By the prototype that the buffer had. */
const prototypes = new WeakMap<object, object>();

export function markPool(view: unknown): void {
  if (!ArrayBuffer.isView(view) || view.byteLength < POOL_BYTES_MIN) return;
  const prototype = Object.getPrototypeOf(view) as object;
  let guarded = prototypes.get(prototype);
  if (!guarded) {
    guarded = guardedPrototype(prototype);
    prototypes.set(prototype, guarded);
    prototypes.set(guarded, guarded); // one that is filled again
  }
  if (guarded !== prototype) Object.setPrototypeOf(view, guarded);
}

const CALL = "a buffer of random bytes that was filled before (nanoid and uuid keep one):";

function guardedPrototype(original: object): object {
  const guarded = Object.create(original) as object;
  const inherited: object[] = [];
  for (let owner = original; owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object)
    inherited.push(owner);
  // the nearest last: it wins
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

/** A function of its own, for one that is guarded already would come back as it is. */
function bind(method: object): object {
  return function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method as (...all: unknown[]) => unknown, this, args);
  };
}

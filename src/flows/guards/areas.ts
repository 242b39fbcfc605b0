// Puts guards on everything of an area that `pure.ts` does not allow, and on all that hangs on it: statics, what instances
// inherit, members of objects.

import { READ_IN_TOOL } from "./advice.ts";
import { guardFunction, guardGetter, isGuarded, markGuarded, propertyOf, replaceProperty } from "./guard.ts";
import { INSTANCES, LEFT, PURE } from "./pure.ts";
import { ruleOf, rulePaths } from "./rules.ts";

/**
 * Guards the area's object, and the areas below it. Reads no member that is allowed whole, and none that is `passedOver`
 * (by its path): something makes those when they are read.
 */
export function guardArea(owner: object, area: string, passedOver?: ReadonlySet<string>): void {
  const isPure = pureTest(area);
  for (const key of Object.getOwnPropertyNames(owner)) {
    const path = join(area, key);
    if (AREAS.has(path) && path !== "Bun") {
      const value = propertyOf(owner, key)?.value;
      if (isObject(value)) guardArea(value, path, passedOver);
    } else if (!isPure(key) && !isStructure(owner, key) && !Object.hasOwn(LEFT, path) && !passedOver?.has(path)) {
      if (HIDDEN.has(area)) hideValue(owner, key, path);
      guardMember(owner, key, path);
    }
  }
}

/** With those that hold an area and are allowed whole but for it. */
const AREAS: ReadonlySet<string> = new Set(
  Object.keys(PURE).flatMap((area) => area.split(".").map((_, index, keys) => keys.slice(0, index + 1).join("."))),
);

/** Areas whose plain values are refused too, by a getter in their place. In a module an import reads them once. */
const HIDDEN = new Set(["process", "navigator"]);

/** Which of them packages look at to see how they should go about. */
const SETTINGS = new Set(["process.argv", "process.env", "process.execArgv", "navigator.userAgent"]);

/** Guards one member and what hangs on it. */
function guardMember(owner: object, key: PropertyKey, path: string, depth = 0): void {
  const property = propertyOf(owner, key);
  if (!property || property.value === owner) return;
  const { get, value } = property;
  if (get) {
    if (property.configurable === true && !isGuarded(get))
      Object.defineProperty(owner, key, { ...property, get: lazyGetter(get, path) });
  } else if (isObject(value)) {
    const guarded = guardValue(value, path, depth);
    if (guarded !== value) replaceProperty(owner, key, property, guarded);
  }
}

function hideValue(owner: object, key: string, path: string): void {
  const property = propertyOf(owner, key);
  if (property?.configurable !== true || typeof property.value === "function") return;
  if (property.get && isGuarded(property.get)) return;
  let { value } = property;
  if (isObject(value) && !SETTINGS.has(path)) guardValue(value, path);
  Object.defineProperty(owner, key, {
    get: guardGetter(property.get ?? (() => value), {
      call: nameOf(path),
      instead: READ_IN_TOOL,
      isOpenToPackages: SETTINGS.has(path),
    }),
    set:
      property.set ??
      ((next: unknown) => {
        value = next;
      }),
    configurable: true,
    enumerable: property.enumerable === true,
  });
}

/** A value with guards on it, and on what hangs on it: another one for a function, the same for an object. */
export function guardValue(value: object, path: string, depth = 0): object {
  if (isGuarded(value) || depth > DEPTH_MAX) return value;
  if (typeof value !== "function") {
    if (!Array.isArray(value)) guardOwn(markGuarded(value), path, depth);
    return value;
  }
  guardOwn(value, path, depth);
  guardPrototype(value, path, depth);
  return guardFinalStatics(guardFunction(value, { call: nameOf(path), ...ruleOf(path) }), value, path);
}

/** Statics that cannot be replaced where they are (`fetch.preconnect`) get their guards on what stands in front of them. */
function guardFinalStatics(guarded: object, original: object, path: string): object {
  for (const key of Object.getOwnPropertyNames(original)) {
    if (isStructure(original, key) || Object.hasOwn(guarded, key)) continue;
    const { value, configurable, writable } = propertyOf(original, key) ?? {};
    if (typeof value !== "function" || isGuarded(value) || configurable === true || writable === true) continue;
    const inner = join(path, key);
    Object.defineProperty(guarded, key, { value: guardFunction(value, { call: nameOf(inner), ...ruleOf(inner) }) });
  }
  return guarded;
}

/** `fs.promises.FileHandle` is the deepest that there is. */
const DEPTH_MAX = 3;

function guardOwn(owner: object, path: string, depth: number): void {
  // a symbol: what `promisify(setTimeout)` takes in place of the function
  for (const key of Reflect.ownKeys(owner)) {
    if (isStructure(owner, key)) continue;
    const inner = typeof key === "string" ? join(path, key) : path;
    guardMember(owner, key, inner, depth + 1);
  }
}

/** What instances that were made outside of a flow can do. */
function guardPrototype(type: object, path: string, depth: number): void {
  const { prototype } = type as { readonly prototype?: unknown };
  if (!isObject(prototype) || isGuarded(prototype)) return;
  const inner = `${path}.prototype`;
  if (!path.includes(":")) return guardOwn(markGuarded(prototype), inner, depth);
  // the runtime's own modules tell by their methods whether somebody has changed them, and then take other ways
  const methods = INSTANCES[path];
  if (methods === "*") guardOwn(markGuarded(prototype), inner, depth);
  else for (const key of methods?.split(" ") ?? []) guardMethod(prototype, key, join(inner, key));
}

/** The method may be one that many classes inherit, whose own stays as it is. */
function guardMethod(prototype: object, key: string, path: string): void {
  const method: unknown = Reflect.get(prototype, key);
  if (typeof method !== "function" || isGuarded(method)) return;
  const value = guardFunction(callOf(method), { call: nameOf(path), ...ruleOf(path) });
  Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
}

/** The same method as a function of its own: the one of all streams stays as it is. */
function callOf(method: object): object {
  const { name } = method as { readonly name: string };
  const call = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method as (...all: unknown[]) => unknown, this, args);
  };
  return Object.defineProperty(call, "name", { value: name });
}

/** What a getter gives is guarded when it gives it: to read it now may load much. A flow does not get a mere value. */
function lazyGetter(get: (this: unknown) => unknown, path: string): () => unknown {
  const read = guardGetter(get, { call: nameOf(path), instead: adviceFor(path) });
  const getter = function (this: unknown): unknown {
    const value: unknown = Reflect.apply(read, this, []);
    return isObject(value) ? guardValue(value, path) : value;
  };
  return markGuarded(getter);
}

/** In messages: `date.getHours`, `fs.readFileSync`, `Math.random`. */
function nameOf(path: string): string {
  return path
    .replace(/^(?:node|bun):/, "")
    .replace(
      /(?:^|\.)(\w)([^.]*)\.prototype\./,
      (_all, first: string, rest: string) => `${first.toLowerCase()}${rest}.`,
    );
}

/** For a read, which has no arguments that could tell. */
function adviceFor(path: string): string {
  const { instead } = ruleOf(path);
  return typeof instead === "string" ? instead : (instead([], false) ?? "");
}

/** What every function and every prototype has, and needs no leave. */
function isStructure(owner: object, key: PropertyKey): boolean {
  if (key === "constructor" || key === "prototype") return true;
  return typeof owner === "function" && (key === "name" || key === "length" || key === "arguments" || key === "caller");
}

export function isAllowed(area: string, key: string): boolean {
  return pureTest(area)(key);
}

function pureTest(area: string): (name: string) => boolean {
  const names = new Set((PURE[area] ?? (area.includes(":") ? "" : "*")).split(/\s+/));
  return names.has("*") ? () => true : (name) => names.has(name);
}

function join(area: string, key: string): string {
  return area === "" ? key : `${area}.${key}`;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Guards the functions and getters of an area that have a rule of their own: what hangs on them stays allowed. */
export function applyRules(root: object, area: string): void {
  for (const inner of rulePaths(area)) {
    const path = join(area, inner);
    const keys = inner.split(".");
    const last = keys.pop() ?? "";
    let owner: unknown = root;
    for (const key of keys) owner = isObject(owner) ? propertyOf(owner, key)?.value : undefined;
    const property = isObject(owner) ? propertyOf(owner, last) : undefined;
    if (!isObject(owner) || !property) continue;
    if (property.get) guardMember(owner, last, path);
    else if (typeof property.value === "function")
      replaceProperty(owner, last, property, guardFunction(property.value, { call: nameOf(path), ...ruleOf(path) }));
  }
}

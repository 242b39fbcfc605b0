// Puts guards on everything in an area that `pure.ts` does not allow, and on everything below it: statics, inherited
// members of instances, members of objects.

import { READ_IN_TOOL } from "./advice.ts";
import { guardFunction, guardGetter, isGuarded, markGuarded, propertyOf, replaceProperty } from "./guard.ts";
import { INSTANCES, LEFT, PURE } from "./pure.ts";
import { ruleOf, rulePaths } from "./rules.ts";

/**
 * Guards the area's object, and the areas below it. Does not read members that are allowed as a whole, nor those in
 * `passedOver` (by path): reading them would create them.
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

/** Includes paths that contain an area and are otherwise allowed as a whole. */
const AREAS: ReadonlySet<string> = new Set(
  Object.keys(PURE).flatMap((area) => area.split(".").map((_, index, keys) => keys.slice(0, index + 1).join("."))),
);

/**
 * In these areas plain values are refused too, by a getter in their place. An import reads a module's values only once.
 */
const HIDDEN = new Set(["process", "navigator"]);

/** Packages read these settings to choose how to work. */
const SETTINGS = new Set(["process.argv", "process.env", "process.execArgv", "navigator.userAgent"]);

/** Guards one member and everything below it. */
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

/**
 * Puts guards on a value and everything below it. For a function it returns a new value, for an object the same one.
 */
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

/** Statics that cannot be replaced (`fetch.preconnect`) are guarded on the wrapper instead. */
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

/** The deepest path is `fs.promises.FileHandle`. */
const DEPTH_MAX = 3;

function guardOwn(owner: object, path: string, depth: number): void {
  // also symbols: `promisify(setTimeout)` uses the function under a symbol
  for (const key of Reflect.ownKeys(owner)) {
    if (isStructure(owner, key)) continue;
    const inner = typeof key === "string" ? join(path, key) : path;
    guardMember(owner, key, inner, depth + 1);
  }
}

/** Guards the methods of instances that were created outside of a flow. */
function guardPrototype(type: object, path: string, depth: number): void {
  const { prototype } = type as { readonly prototype?: unknown };
  if (!isObject(prototype) || isGuarded(prototype)) return;
  const inner = `${path}.prototype`;
  if (!path.includes(":")) return guardOwn(markGuarded(prototype), inner, depth);
  // the runtime's own modules notice changed methods, and then take other code paths
  const methods = INSTANCES[path];
  if (methods === "*") guardOwn(markGuarded(prototype), inner, depth);
  else for (const key of methods?.split(" ") ?? []) guardMethod(prototype, key, join(inner, key));
}

/** Many classes may inherit the method. Their original stays as it is. */
function guardMethod(prototype: object, key: string, path: string): void {
  const method: unknown = Reflect.get(prototype, key);
  if (typeof method !== "function" || isGuarded(method)) return;
  const value = guardFunction(callOf(method), { call: nameOf(path), ...ruleOf(path) });
  Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
}

/** The same method as a separate function: the original of all streams stays as it is. */
function callOf(method: object): object {
  const { name } = method as { readonly name: string };
  const call = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method as (...all: unknown[]) => unknown, this, args);
  };
  return Object.defineProperty(call, "name", { value: name });
}

/** Guards a getter's value on each read, because reading it now may load a lot. A flow may not read plain values. */
function lazyGetter(get: (this: unknown) => unknown, path: string): () => unknown {
  const read = guardGetter(get, { call: nameOf(path), instead: adviceFor(path) });
  const getter = function (this: unknown): unknown {
    const value: unknown = Reflect.apply(read, this, []);
    return isObject(value) ? guardValue(value, path) : value;
  };
  return markGuarded(getter);
}

/** The name in messages: `date.getHours`, `fs.readFileSync`, `Math.random`. */
function nameOf(path: string): string {
  return path
    .replace(/^(?:node|bun):/, "")
    .replace(
      /(?:^|\.)(\w)([^.]*)\.prototype\./,
      (_all, first: string, rest: string) => `${first.toLowerCase()}${rest}.`,
    );
}

/** For a read: it has no arguments to judge by. */
function adviceFor(path: string): string {
  const { instead } = ruleOf(path);
  return typeof instead === "string" ? instead : (instead([], false) ?? "");
}

/** Members that every function and every prototype has. They are always allowed. */
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

/** Guards the functions and getters of an area that have their own rule. Everything below them stays allowed. */
export function applyRules(root: object, area: string, isMeant: (path: string) => boolean = () => true): void {
  for (const inner of rulePaths(area).filter(isMeant)) {
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

// The guarded modules of the runtime.
//
// A module is guarded when the first flow file that imports it is loaded: to load all of them takes 40 ms, most flows
// import none. In Bun 1.4.5 `syncBuiltinESMExports()` changes nothing, and named imports see only what the module held when
// it was first linked as an ES module, which our own code may have done; forgetting that link (`delete require.cache[…]`)
// makes the next import see the guards. Functions that were linked before, our own, stay as they are.

import { builtinModules, createRequire, isBuiltin } from "node:module";
import { IMPORT_AT_TOP } from "./advice.ts";
import { applyRules, guardArea } from "./areas.ts";
import { guardFunction, isGuarded, markGuarded, propertyOf, replaceProperty } from "./guard.ts";
import { LEFT, PURE } from "./pure.ts";
import { rulePaths } from "./rules.ts";

/** Guards a module by its specifier (`fs`, `node:fs`, `bun:sqlite`). Does nothing for what is none, or has its guards. */
export function guardModule(specifier: string): void {
  if (!isBuiltin(specifier) || specifier === "bun") return;
  const area = areaOf(specifier);
  if (Object.hasOwn(LEFT, area) || (PURE[area] === "*" && rulePaths(area).length === 0 && !RELINKED.has(area))) return;
  guardOne(area);
}

/** Guards them all: for a flow whose imports are too many to look through, or are computed. */
export function guardModules(): void {
  for (const name of builtinModules) if (!name.startsWith("_")) guardModule(name);
}

/** Allowed as they stand, but what hangs on them has its guards, and a link may be older than those. */
const RELINKED = new Set(["node:process", "node:console"]);

/** `fs`, `node:fs` → `node:fs`. */
function areaOf(specifier: string): string {
  return specifier.startsWith("bun:") ? specifier : `node:${specifier.replace(/^node:/, "")}`;
}

function guardOne(area: string): void {
  const require = createRequire(import.meta.url);
  const bare = area.replace("node:", "");
  const specifier = builtinModules.includes(bare) ? bare : area;
  const module = require(specifier) as Readonly<Record<string, unknown>>;
  if (isGuarded(module)) return;
  if (area === "node:util") warmUp(module);
  if (area === "node:module") for (const key of ["_load", "createRequire"]) guardFetching(module, key, "module");
  guardArea(module, area);
  applyRules(module, area);
  markGuarded(module);
  // it has added to the global class
  if (area === "node:perf_hooks") guardArea(Performance.prototype, "Performance.prototype");
  for (const alias of [bare, area]) Reflect.deleteProperty(require.cache, alias);
}

/** Loads what `styleText` would load under the watch of a flow, and guards would take for the flow's own doing. */
function warmUp({ styleText }: Readonly<Record<string, unknown>>): void {
  (styleText as (format: string, text: string) => string)("red", "");
}

/** Guards a function that gives a module by its name, or a `require` that does: what it gives has its guards before. */
export function guardFetching(owner: object, key: string, name: string): void {
  const property = propertyOf(owner, key);
  if (typeof property?.value !== "function") return;
  const guard = { call: `${name}.${key}`, instead: IMPORT_AT_TOP };
  const guarded = guardFunction(
    property.value,
    key === "createRequire" ? { ...guard, after: guardRequire } : { ...guard, before: guardNamed },
  );
  replaceProperty(owner, key, property, guarded);
}

/** A flow may use it: the file or the package that it gives is guarded as every other. */
function guardRequire(require: unknown): unknown {
  return guardFunction(require as object, { call: "require", instead: () => undefined, before: guardNamed });
}

function guardNamed([specifier]: readonly unknown[]): void {
  guardModule(String(specifier));
}

// The guarded modules of the runtime.
//
// A module is guarded when the first flow file that imports it is loaded: guarding all of them takes 40 ms, and most
// flows import none. In Bun 1.4.5 `syncBuiltinESMExports()` has no effect, and named imports see only what the module
// contained when it was first linked as an ES module, perhaps by our own code. Forgetting that link
// (`delete require.cache[…]`) makes the next import see the guards. Our own functions, which were linked before, stay
// as they are.

import { builtinModules, createRequire, isBuiltin } from "node:module";
import { IMPORT_AT_TOP } from "./advice.ts";
import { applyRules, guardArea } from "./areas.ts";
import { guardFunction, isGuarded, markGuarded, propertyOf, replaceProperty } from "./guard.ts";
import { LEFT, PURE } from "./pure.ts";
import { rulePaths } from "./rules.ts";

/** Guards a module by its specifier (`fs`, `node:fs`, `bun:sqlite`). Skips guarded modules and all other names. */
export function guardModule(specifier: string): void {
  if (!isBuiltin(specifier) || specifier === "bun") return;
  const area = areaOf(specifier);
  if (Object.hasOwn(LEFT, area) || (PURE[area] === "*" && rulePaths(area).length === 0 && !RELINKED.has(area))) return;
  guardOne(area);
}

/** Guards all modules, for a flow with too many imports to read, or with computed ones. */
export function guardModules(): void {
  for (const name of builtinModules) if (!name.startsWith("_")) guardModule(name);
}

/** These modules are allowed, but their members are guarded, and a link may be older than the guards. */
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
  // this module extends the global class
  if (area === "node:perf_hooks") guardArea(Performance.prototype, "Performance.prototype");
  for (const alias of [bare, area]) Reflect.deleteProperty(require.cache, alias);
}

/** Loads what `styleText` would load in a running flow, where guards would blame the flow for it. */
function warmUp({ styleText }: Readonly<Record<string, unknown>>): void {
  (styleText as (format: string, text: string) => string)("red", "");
}

/**
 * Guards a function that returns a module by name, or such a `require`. The module is guarded before it is returned.
 */
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

/** A flow may use it: the file or package that it returns is guarded like any other. */
function guardRequire(require: unknown): unknown {
  return guardFunction(require as object, { call: "require", instead: () => undefined, before: guardNamed });
}

function guardNamed([specifier]: readonly unknown[]): void {
  guardModule(String(specifier));
}

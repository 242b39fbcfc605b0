// A flow file and the files that it imports, read before they are imported: for the modules of the runtime that they
// use, which are guarded first, to tell where an error is, and to tell one state of the code from another. Packages too,
// as long as they are small: past FILES_MAX files all modules are guarded, which takes less time than to read on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import { OF_PACKAGE } from "./frames.ts";
import { guardRealBun } from "./guards/globals.ts";
import { guardModule, guardModules } from "./guards/modules.ts";
import { idPackageOf } from "./guards/packages.ts";

export interface Sources {
  readonly sources: readonly Source[];
  /** By the file that an import of it leads to: the name of the package. */
  readonly idPackages: ReadonlyMap<string, string>;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  /** Not of a package. */
  readonly isOwn: boolean;
}

const PROVIDED = new Set(["taskonaut", "valibot"]);
const FILES_MAX = 200;
const SOURCE = /\.[cm]?[jt]sx?$/;

/**
 * Those that can be read and parsed, the file first, then in the order of the imports; what is wrong with the others, the
 * import itself will say. Files of the user's own are there however many packages are.
 */
export function readSources(path: string): Sources {
  const sources: Source[] = [];
  const idPackages = new Map<string, string>();
  const seen = new Set([path]);
  let readsPackages = true;
  for (const file of seen) {
    if (!readsPackages && OF_PACKAGE.test(file)) continue;
    const text = readText(file);
    if (text === undefined) continue;
    const isOwn = !OF_PACKAGE.test(file);
    sources.push({ path: file, text, isOwn });
    for (const specifier of importsOf(text, file)) {
      if (isBuiltin(specifier)) guardModule(specifier);
      else if (!PROVIDED.has(specifier)) addResolved({ seen, idPackages }, specifier, file);
    }
    for (const specifier of fetchedModules(text)) guardModule(specifier);
    if (isOwn ? NAMES_REAL_BUN.test(text) : /\bBun\b/.test(text)) guardRealBun();
    if (isOwn && FETCHES_COMPUTED.test(text)) guardModules();
    if (readsPackages && seen.size > FILES_MAX) {
      guardModules();
      guardRealBun();
      readsPackages = false;
    }
  }
  return { sources, idPackages };
}

/**
 * A SHA-256 over the texts of the user's own files among these, in hex. Which file is which their import statements tell,
 * so there are no paths in it: the same files in another folder, or on another machine, have the same hash.
 */
export function hashSources(sources: readonly Source[]): string {
  const hash = createHash("sha256");
  for (const { text, isOwn } of sources) {
    if (isOwn) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  }
  return hash.digest("hex");
}

/** Whether it is code, and no data. */
export function isScript(path: string): boolean {
  return SOURCE.test(path);
}

export function loaderOf(path: string): "tsx" | "ts" | "jsx" {
  if (path.endsWith("tsx")) return "tsx";
  return path.endsWith("ts") ? "ts" : "jsx";
}

/** By other ways than those that get another one (`guards/bun.ts`). */
const NAMES_REAL_BUN = /["'`]Bun["'`]|(?<!(?<![.\w$])(?:globalThis|global|self)\s*\??)\.\s*Bun\b/;

/** A module that is fetched around the loader must be computed to be missed by `fetchedModules`. */
const FETCHES_COMPUTED = /\bimport\.meta\.require\b|\b(?:import|require)\s*\(\s*(?!["'][^"']*["']\s*[,)])/;

/**
 * Modules of the runtime that a call names as its only argument: `require` under another name (bundlers make one),
 * `import.meta.require`, `process.getBuiltinModule`.
 */
function fetchedModules(text: string): readonly string[] {
  const named = text.matchAll(/\(\s*(["'`])((?:node:|bun:)?[a-z][\w/]*)\1\s*\)/g);
  return [...named].flatMap(([, , specifier = ""]) => (isBuiltin(specifier) ? [specifier] : []));
}

function importsOf(text: string, path: string): ReadonlySet<string> {
  try {
    return new Set(new Bun.Transpiler({ loader: loaderOf(path) }).scanImports(text).map((found) => found.path));
  } catch {
    return new Set();
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function addResolved(
  { seen, idPackages }: { readonly seen: Set<string>; readonly idPackages: Map<string, string> },
  specifier: string,
  from: string,
): void {
  const idPackage = idPackageOf(specifier);
  for (const path of resolvedPaths(specifier, from)) {
    // data of the user's own (`./prices.json`) counts as code does
    if (isScript(path) || !OF_PACKAGE.test(path)) seen.add(path);
    if (idPackage !== undefined) idPackages.set(path, idPackage);
  }
}

/** Of `import` and of `require`: packages may have a file for each. None where neither can be resolved: the import itself will say so. */
function resolvedPaths(specifier: string, from: string): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const resolve of [
    () => Bun.resolveSync(specifier, dirname(from)),
    () => createRequire(from).resolve(specifier),
  ]) {
    try {
      paths.add(resolve());
    } catch {
      // only one of the two may be there
    }
    if (idPackageOf(specifier) === undefined) break;
  }
  return paths;
}

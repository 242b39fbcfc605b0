// Reads a flow file and the files that it imports, before they are imported: to guard the runtime modules that they
// use, to find the place of an error, and to tell versions of the code apart. Packages are read too, while they are
// small: beyond FILES_MAX files all modules are guarded, which is faster than reading on.

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
  /** File that an import resolves to → name of the package. */
  readonly idPackages: ReadonlyMap<string, string>;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  /** The file does not belong to a package. */
  readonly isOwn: boolean;
}

const PROVIDED = new Set(["taskonaut", "valibot"]);
const FILES_MAX = 200;
const SOURCE = /\.[cm]?[jt]sx?$/;

/**
 * Returns the files that can be read and parsed: first the flow file, then in the order of the imports. The import
 * itself reports faults in the others. The user's own files are always included, however many packages there are.
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
 * A SHA-256 over the texts of the user's own files, in hex. Import statements already say which file is which, so paths
 * are left out: the same files have the same hash in another folder or on another machine.
 */
export function hashSources(sources: readonly Source[]): string {
  const hash = createHash("sha256");
  for (const { text, isOwn } of sources) {
    if (isOwn) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  }
  return hash.digest("hex");
}

/** Whether the file is code, not data. */
export function isScript(path: string): boolean {
  return SOURCE.test(path);
}

export function loaderOf(path: string): "tsx" | "ts" | "jsx" {
  if (path.endsWith("tsx")) return "tsx";
  return path.endsWith("ts") ? "ts" : "jsx";
}

/** In other ways than those that `guards/bun.ts` replaces. */
const NAMES_REAL_BUN = /["'`]Bun["'`]|(?<!(?<![.\w$])(?:globalThis|global|self)\s*\??)\.\s*Bun\b/;

/** `fetchedModules` can miss only computed names of modules that are loaded without the loader. */
const FETCHES_COMPUTED = /\bimport\.meta\.require\b|\b(?:import|require)\s*\(\s*(?!["'][^"']*["']\s*[,)])/;

/**
 * Runtime modules that a call names as its only argument: `require` under another name (bundlers do that),
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
    // the user's own data files (`./prices.json`) count as code
    if (isScript(path) || !OF_PACKAGE.test(path)) seen.add(path);
    if (idPackage !== undefined) idPackages.set(path, idPackage);
  }
}

/**
 * For `import` and for `require`: a package may have a file for each. Empty if neither resolves: the import says so.
 */
function resolvedPaths(specifier: string, from: string): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const resolve of [
    () => Bun.resolveSync(specifier, dirname(from)),
    () => createRequire(from).resolve(specifier),
  ]) {
    try {
      paths.add(resolve());
    } catch {
      // only one of the two may exist
    }
    if (idPackageOf(specifier) === undefined) break;
  }
  return paths;
}

// A flow file and the files that it imports, read before they are imported: for the modules of the runtime that they
// use, which are guarded first, to tell where an error is, and to tell one state of the code from another. Packages too,
// as long as they are small: past FILES_MAX files all modules are guarded, which takes less time than to read on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname } from "node:path";
import { guardModule, guardModules } from "./guards/modules.ts";

export interface Source {
  readonly path: string;
  readonly text: string;
  /** Not of a package. */
  readonly isOwn: boolean;
}

const PROVIDED = new Set(["taskonaut", "valibot"]);
const FILES_MAX = 200;
const SOURCE = /\.[cm]?[jt]sx?$/;
const OF_PACKAGE = /[/\\]node_modules[/\\]/;

/**
 * Those that can be read and parsed, the file first, then in the order of the imports; what is wrong with the others, the
 * import itself will say. Files of the user's own are there however many packages are.
 */
export function readSources(path: string): readonly Source[] {
  const sources: Source[] = [];
  const seen = new Set([path]);
  let readsPackages = true;
  for (const file of seen) {
    if (!readsPackages && OF_PACKAGE.test(file)) continue;
    const text = readText(file);
    if (text === undefined) continue;
    sources.push({ path: file, text, isOwn: !OF_PACKAGE.test(file) });
    for (const specifier of importsOf(text, file)) {
      if (isBuiltin(specifier) || specifier.startsWith("bun:")) guardModule(specifier);
      else if (!PROVIDED.has(specifier)) addResolved(seen, specifier, file);
    }
    if (readsPackages && seen.size > FILES_MAX) {
      guardModules();
      readsPackages = false;
    }
  }
  return sources;
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

function addResolved(seen: Set<string>, specifier: string, from: string): void {
  try {
    const path = Bun.resolveSync(specifier, dirname(from));
    // data of the user's own (`./prices.json`) counts as code does
    if (isScript(path) || !OF_PACKAGE.test(path)) seen.add(path);
  } catch {
    // the import itself will say so
  }
}

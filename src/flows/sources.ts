// A flow file and the files that it imports, read before they are imported: for the modules of the runtime that they
// use, which are guarded first, and to tell where an error is. Packages too, as long as they are small: past FILES_MAX
// files all modules are guarded, which takes less time than to read on.

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname } from "node:path";
import { guardModule, guardModules } from "./guards/modules.ts";

export interface Source {
  readonly path: string;
  readonly text: string;
}

const PROVIDED = new Set(["taskonaut", "valibot"]);
const FILES_MAX = 200;
const SOURCE = /\.[cm]?[jt]sx?$/;

/** Those that can be read and parsed; what is wrong with the others, the import itself will say. */
export function readSources(path: string): readonly Source[] {
  const sources: Source[] = [];
  const seen = new Set([path]);
  for (const file of seen) {
    const text = readText(file);
    if (text === undefined) continue;
    sources.push({ path: file, text });
    for (const specifier of importsOf(text, file)) {
      if (isBuiltin(specifier) || specifier.startsWith("bun:")) guardModule(specifier);
      else if (!PROVIDED.has(specifier)) addResolved(seen, specifier, file);
    }
    if (seen.size > FILES_MAX) {
      guardModules();
      break;
    }
  }
  return sources;
}

function importsOf(text: string, path: string): ReadonlySet<string> {
  const loader = path.endsWith("tsx") ? "tsx" : path.endsWith("ts") ? "ts" : "jsx";
  try {
    return new Set(new Bun.Transpiler({ loader }).scanImports(text).map((found) => found.path));
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
    if (SOURCE.test(path)) seen.add(path);
  } catch {
    // the import itself will say so
  }
}

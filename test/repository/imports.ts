// What the sources import, and in which room of the table each end stands.

import { dirname, join, normalize } from "node:path";
import { ROOMS } from "./rooms.ts";

export const ROOT = join(import.meta.dir, "../..");

export interface Import {
  /** Under `src`. */
  readonly file: string;
  readonly room: string;
  /** A package, or a file under `src`. */
  readonly what: string;
  /** Of the file; undefined for a package. */
  readonly to: string | undefined;
}

const STATEMENTS = [
  /^(?:import|export)\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\}|\w+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+\w+))?)\s+from\s+"([^"]+)"/gm,
  /^import\s+"([^"]+)"/gm,
  /\b(?:import|require)\(\s*"([^"]+)"/g, // types too: `typeof import("…")`
];

/** What markup is compiled to. */
const COMPILED_MARKUP = /^react(?:\/|$)/;

/** Bundled as text: no module that knows another. */
const TEXTS = /\.(?:sql|json)$/;

/** Of all files but tests. Throws where a file has no room, and where an import is written as nobody here does. */
export async function readImports(): Promise<readonly Import[]> {
  const found: Import[] = [];
  for (const file of await sourcesIn(join(ROOT, "src"))) {
    const text = await Bun.file(join(ROOT, "src", file)).text();
    const specifiers = importsOf(text);
    for (const { path } of new Bun.Transpiler({ loader: file.endsWith("x") ? "tsx" : "ts" }).scanImports(text)) {
      if (COMPILED_MARKUP.test(path)) continue;
      if (!specifiers.has(path)) throw new Error(`${file}: an import of ${path} that this test does not read`);
    }
    for (const specifier of specifiers) {
      if (TEXTS.test(specifier)) continue;
      const isFile = specifier.startsWith(".");
      const what = isFile ? normalize(join(dirname(file), specifier)) : specifier;
      found.push({ file, room: roomOf(file), what, to: isFile ? roomOf(what) : undefined });
    }
  }
  return found;
}

export function importsOf(text: string): ReadonlySet<string> {
  return new Set(STATEMENTS.flatMap((statement) => [...text.matchAll(statement)].map(([, path = ""]) => path)));
}

/** Files that import each other, directly or through others: a list for each circle. */
export function circlesOf(imports: readonly Import[]): readonly (readonly string[])[] {
  const next = new Map<string, Set<string>>();
  for (const { file, what, to } of imports) {
    if (to !== undefined) next.set(file, (next.get(file) ?? new Set()).add(what));
  }
  const reached = new Map([...next.keys()].map((file) => [file, reachOf(file, next)]));
  const inCircle = [...reached.keys()].filter((file) => reached.get(file)?.has(file));
  const circles = inCircle.map((file) =>
    inCircle.filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)).toSorted(),
  );
  return [...new Map(circles.map((circle) => [circle.join(" "), circle])).values()].toSorted((a, b) =>
    a.join(" ").localeCompare(b.join(" "), "en"),
  );
}

/** All that a file imports, directly or through others. */
function reachOf(file: string, next: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const reached = new Set<string>();
  const left = [file];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    for (const to of next.get(at) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      left.push(to);
    }
  }
  return reached;
}

/** The narrowest one that has the file. */
export function roomOf(file: string): string {
  const names = Object.keys(ROOMS).filter((room) => has(room, file));
  const [name] = names.toSorted((one, other) => other.length - one.length);
  if (name === undefined) throw new Error(`${file} stands in no room: see test/repository/rooms.ts`);
  return name;
}

/** Whether a name in the table means that room. */
export function means(name: string, room: string): boolean {
  return name === room || room.startsWith(`${name}/`);
}

function has(room: string, file: string): boolean {
  return room.includes("*") ? new Bun.Glob(room).match(file) : room === file || file.startsWith(`${room}/`);
}

async function sourcesIn(folder: string): Promise<readonly string[]> {
  const files = await Array.fromAsync(new Bun.Glob("**/*.{ts,tsx}").scan(folder));
  return files.filter((file) => !/\.(?:test|d)\.ts$/.test(file)).toSorted();
}

// What the documents list, as they list it.

import { join } from "node:path";
import { ROOT } from "./imports.ts";

/** README.md, ARCHITECTURE.md, …, docs/*.md, by path. */
export async function readDocuments(): Promise<ReadonlyMap<string, string>> {
  const patterns = ["*.md", "docs/*.md"];
  const paths = (await Promise.all(patterns.map((each) => Array.fromAsync(new Bun.Glob(each).scan(ROOT))))).flat();
  return new Map(await Promise.all(paths.toSorted().map(async (path) => [path, await readText(path)] as const)));
}

export function readText(path: string): Promise<string> {
  return Bun.file(join(ROOT, path)).text();
}

/** The rows of the table whose first heading this is, cell by cell, without the heading. */
export function tableOf(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => cellsOf(line)[0] === heading);
  if (start < 0) throw new Error(`There is no table that begins with ${heading}.`);
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end < 0 ? undefined : end).map(cellsOf);
}

/** A bar within a cell is written `\|`. */
function cellsOf(line: string): readonly string[] {
  if (!line.startsWith("|")) return [];
  return line
    .slice(1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** What stands in a cell as code. */
export function codeOf(cell = ""): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

/** Each call of the program in a block of code, as a shell would split it; what is put in at run time is `x`. */
export function callsIn(text: string): readonly (readonly string[])[] {
  const blocks = [...text.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  const calls = blocks.flatMap((block) => [
    ...block.replaceAll(/(?:^| )# .*$/gm, "").matchAll(/(?:dist\/)?\btaskonaut ([^\n|#&)<>]*)/g),
  ]);
  return calls.map(([, rest = ""]) => wordsOf(rest.replaceAll(/"?\$\w+"?/g, "x")));
}

function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}

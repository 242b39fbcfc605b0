// Writes the generated parts of the pages: `bun run docs`. A test compares them, so no page falls behind.

import { join } from "node:path";
import { commandsPart, globalOptionsPart } from "./docs-commands.ts";

const ROOT = join(import.meta.dir, "..");

/** The generated parts of each page, by the name in their markers. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "docs/command-line.md": { "global options": globalOptionsPart, commands: commandsPart },
};

/** Every page with generated parts, with its up-to-date text. Throws if a page lacks the markers of a part. */
export async function writtenPages(): Promise<ReadonlyMap<string, string>> {
  const pages = Object.entries(PARTS).map(async ([path, parts]) => {
    let text = await Bun.file(join(ROOT, path)).text();
    for (const [name, write] of Object.entries(parts)) text = replacePart(path, text, name, write());
    return [path, text] as const;
  });
  return new Map(await Promise.all(pages));
}

function replacePart(path: string, text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- begin: ${name}, written by \`bun run docs\` -->`, `<!-- end: ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} needs the lines ${begin} and ${end}.`);
  return `${text.slice(0, from + begin.length)}\n\n${part.trim()}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  for (const [path, text] of await writtenPages()) await Bun.write(join(ROOT, path), text);
}

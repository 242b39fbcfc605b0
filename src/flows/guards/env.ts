// `import.meta.env` is `process.env` by a name of its own, which nothing can stand in front of.

import { readTokens } from "../tokens.ts";

const WORDS = ["import", ".", "meta", ".", "env"];

/** The text with `process.env` in its place. Nothing moves. */
export function withGuardedEnv(text: string): string {
  if (!/\bmeta\s*\.\s*env\b/.test(text)) return text;
  const tokens = readTokens(text) ?? [];
  let guarded = text;
  for (const [index, { start }] of tokens.entries()) {
    if (!WORDS.every((word, at) => tokens[index + at]?.text === word)) continue;
    const end = tokens[index + WORDS.length - 1]?.end ?? start;
    const written = text.slice(start, end);
    // what stands between may be lines
    if (written.includes("\n")) continue;
    guarded = `${guarded.slice(0, start)}${"process.env".padEnd(end - start)}${guarded.slice(end)}`;
  }
  return guarded;
}

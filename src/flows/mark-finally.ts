// Marks the `finally` blocks of a source text: each block reports its beginning and its end (`core/flow/shield.ts`).
// The rest of the text stays the same, and no line moves.

import { readTokens } from "./tokens.ts";

/** The key of `globalThis` under which a marked block finds its listener. Any kind of module can read it. */
export const FINALLY_KEY = "taskonaut.finally";

const BEGIN = `const $taskonaut=globalThis[Symbol.for(${JSON.stringify(FINALLY_KEY)})]();try{`;
const END = "}finally{$taskonaut()}";

type Brace = "block" | "finally";

/** Returns the marked text, or the same text if it has no `finally` block or its braces do not match. */
export function markFinally(text: string): string {
  const open: Brace[] = [];
  let marked = "";
  let copied = 0;
  let last = "";
  const insert = (mark: string, where: number): void => {
    marked += text.slice(copied, where) + mark;
    copied = where;
  };
  if (!text.includes("finally")) return text;
  for (const { text: token, start, end } of readTokens(text) ?? []) {
    if (token === "{") {
      open.push(last === "finally" ? "finally" : "block");
      if (last === "finally") insert(BEGIN, end);
    } else if (token === "}") {
      const brace = open.pop();
      if (brace === undefined) return text;
      if (brace === "finally") insert(END, start);
    }
    // a property may have this name: `promise.finally`
    last = last === "." && token === "finally" ? "name" : token;
  }
  return open.length === 0 ? marked + text.slice(copied) : text;
}

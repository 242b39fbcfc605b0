// Marks the `finally` blocks of a source text: each says when it begins and when it ends (`core/flow/shield.ts`). Nothing
// else of the text changes, and no line moves.

import { readTokens } from "./tokens.ts";

/** Under this key of `globalThis` a marked block finds whom to tell: any module, of whatever kind, can reach it. */
export const FINALLY_KEY = "taskonaut.finally";

const BEGIN = `const $taskonaut=globalThis[Symbol.for(${JSON.stringify(FINALLY_KEY)})]();try{`;
const END = "}finally{$taskonaut()}";

type Brace = "block" | "finally";

/** The marked text; the same one where it has no `finally` block, or where its braces do not match. */
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
    // a property may be called so as well: `promise.finally`
    last = last === "." && token === "finally" ? "name" : token;
  }
  return open.length === 0 ? marked + text.slice(copied) : text;
}

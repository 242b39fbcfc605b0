// Where in a source text an option stands that is wrong: the call that refused it is known, its keys are looked for.

import { readTokens, type Token } from "./tokens.ts";

/**
 * The offset of the key at the end of the path, in the object that the call at this offset is given; or of the key before it, as
 * far as they are written there. Undefined where not even the first one is.
 */
export function locateKey(text: string, call: number, path: readonly string[]): number | undefined {
  const tokens = readTokens(text) ?? [];
  let found: number | undefined;
  let at = tokens.findIndex(({ text: token, start }) => start >= call && token === "(");
  for (const key of path) {
    if (at >= 0 && tokens[at + 1]?.text === "[") {
      at = elementIn(tokens, at + 1, Number(key));
      found = tokens[at + 1]?.start ?? found;
      continue;
    }
    if (at < 0 || tokens[at + 1]?.text !== "{") break;
    const token = keyIn(tokens, at + 1, key);
    if (token === undefined) break;
    found = tokens[token]?.start;
    at = tokens[token + 1]?.text === ":" ? token + 1 : -1;
  }
  return found;
}

const OPENS = /^(?:[({[]|.*\$\{)$/s;
const CLOSES = /^(?:[)}\]]|\}.*)$/s;
const BEFORE_KEY = new Set(["*", "async", "get", "set"]);

/** The token before an element of the list that begins at this token; -1 where it is not written there. */
function elementIn(tokens: readonly Token[], open: number, index: number): number {
  let depth = 0;
  let place = 0;
  for (let at = open; at < tokens.length; at++) {
    if (depth === 1 && place === index && !CLOSES.test(tokens[at]?.text ?? "")) return at - 1;
    const { text = "" } = tokens[at] ?? {};
    if (CLOSES.test(text)) depth -= 1;
    if (OPENS.test(text)) depth += 1;
    if (depth === 0) return -1;
    if (depth === 1 && text === ",") place += 1;
  }
  return -1;
}

/** Of the object that begins at this token. */
function keyIn(tokens: readonly Token[], open: number, key: string): number | undefined {
  let depth = 0;
  let isKeyNext = false;
  for (let at = open; at < tokens.length; at++) {
    const { text = "" } = tokens[at] ?? {};
    // `}…${` of a template does both
    if (CLOSES.test(text)) depth -= 1;
    if (depth === 0 && at > open) return undefined;
    if (depth === 1 && isKeyNext && nameOf(text) === key && isKey(tokens, at)) return at;
    if (OPENS.test(text)) depth += 1;
    isKeyNext = depth === 1 && (at === open || text === "," || (isKeyNext && BEFORE_KEY.has(text)));
  }
  return undefined;
}

function nameOf(token: string): string {
  return /^(["']).*\1$/s.test(token) ? token.slice(1, -1) : token;
}

/** `async` may be the key itself. */
function isKey(tokens: readonly Token[], at: number): boolean {
  return /^[:,(}<]$/.test(tokens[at + 1]?.text ?? "");
}

// Finds the place of a wrong option in a source text: the call that refused it is known, and its keys are searched.

import { readTokens, type Token } from "./tokens.ts";

/**
 * The offset of the last key of the path, in the object that is passed to the call at this offset. If the text does not
 * have that key, the offset of the last key before it that it has. Undefined if it does not even have the first one.
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

/** The token before an element of the list that begins at this token; -1 if the text does not have it. */
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

/** A key of the object that begins at this token. */
function keyIn(tokens: readonly Token[], open: number, key: string): number | undefined {
  let depth = 0;
  let isKeyNext = false;
  for (let at = open; at < tokens.length; at++) {
    const { text = "" } = tokens[at] ?? {};
    // `}…${` in a template does both
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

/** `async` may itself be the key. */
function isKey(tokens: readonly Token[], at: number): boolean {
  return /^[:,(}<]$/.test(tokens[at + 1]?.text ?? "");
}

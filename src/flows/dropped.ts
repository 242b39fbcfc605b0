// Finds operations that a file makes and drops: `call(charge, order);` as a statement, without `yield*`. Such a call
// would never happen, and nobody would notice. An operation in a variable or a table is allowed, because it may be used
// later.

import { TaskonautError } from "../core/errors.ts";
import { placeOf } from "./position.ts";
import { readTokens, type Token } from "./tokens.ts";

const OPERATIONS = new Set(["all", "call", "map", "race", "runChild", "sleep", "waitForSignal"]);

/** Throws flow_load_failed at the first one. */
export function refuseDropped(path: string, text: string): void {
  const names = importedOperations(text);
  if (names.size === 0) return;
  const tokens = readTokens(text) ?? [];
  for (const [at, token] of tokens.entries()) {
    const length = names.get(token.text);
    if (length === undefined || tokens[at + length]?.text !== "(" || !beginsStatement(tokens, at, text)) continue;
    if (length > 1 && !OPERATIONS.has(tokens[at + 2]?.text ?? "")) continue;
    const close = closingParenthesis(tokens, at + length);
    if (close === undefined || !endsStatement(tokens, close, text)) continue;
    const where = placeOf(path, text, token.start);
    const call = `${text.slice(token.start, tokens[at + length - 1]?.end)}(…)`;
    throw new TaskonautError(
      "flow_load_failed",
      `${where}: ${call} makes an operation and drops it, so it would never happen. Write yield* ${call}.`,
      { details: { file: where } },
    );
  }
}

/** By the first word of a call: how many tokens come before its parenthesis. */
function importedOperations(text: string): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const [, list = ""] of text.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*["']taskonaut["']/g)) {
    for (const each of list.split(",")) {
      const [name = "", alias = name] = each.trim().split(/\s+as\s+/);
      if (OPERATIONS.has(name)) names.set(alias, 1);
    }
  }
  for (const [, name = ""] of text.matchAll(/\bimport\s*\*\s*as\s+([\w$]+)\s+from\s*["']taskonaut["']/g))
    names.set(name, 3);
  return names;
}

const WORDS_BEFORE_VALUE = new Set(
  "return yield await case in of typeof new void delete throw default extends instanceof as satisfies const let var function async get set static public private protected".split(
    " ",
  ),
);

function beginsStatement(tokens: readonly Token[], at: number, text: string): boolean {
  const before = tokens[at - 1];
  const token = tokens[at];
  if (!before || !token) return true;
  if (/^[;{})]$/.test(before.text) || before.text === "else" || before.text === "do") return true;
  const isNewLine = text.slice(before.end, token.start).includes("\n");
  return isNewLine && /^[\w$"'`\]]|`$/.test(before.text) && !WORDS_BEFORE_VALUE.has(before.text);
}

function closingParenthesis(tokens: readonly Token[], open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const { text = "" } = tokens[at] ?? {};
    if (text === "(") depth += 1;
    if (text === ")" && --depth === 0) return at;
  }
  return undefined;
}

/** False for a method of this name (`call(order) { … }`), and for a call whose result is used. */
function endsStatement(tokens: readonly Token[], close: number, text: string): boolean {
  const after = tokens[close + 1];
  if (!after || after.text === ";" || after.text === "}") return true;
  const isNewLine = text.slice(tokens[close]?.end, after.start).includes("\n");
  return isNewLine && /^[\w$"'@#]/.test(after.text) && !/^(?:as|satisfies|in|instanceof|of)$/.test(after.text);
}

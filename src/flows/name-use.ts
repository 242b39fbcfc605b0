// How a source text uses a name at one place. It is told from the tokens around it, without a parser: where these do not
// tell, the name counts as declared.

import type { Token } from "./tokens.ts";

/** It reads a variable, declares or sets one, or is only the name of a member. */
export type NameUse = "reads" | "declares" | "names";

const DECLARES_AFTER = new Set(["const", "let", "var", "function", "class", "as", "import"]);
const DECLARES = new Set(["const", "let", "var"]);
/** Before parentheses in front of a block that have no parameters. */
const TESTS = new Set(["if", "while", "switch", "for", "with"]);
const BEGINS_ELEMENT = new Set(["{", "[", "(", ",", ":"]);
const ENDS_ELEMENT = new Set(["}", "]", ")", ","]);

export function useOf(tokens: readonly Token[], at: number): NameUse {
  const text = (place: number): string => tokens[place]?.text ?? "";
  const [before, after] = [text(at - 1), text(at + 1)];
  if (before === ".") return text(at - 2) === "." ? "reads" : "names"; // `...name`, `object.name`
  if (DECLARES_AFTER.has(before)) return "declares";
  if (after === "=") return text(at + 2) === "=" ? "reads" : "declares";
  if (after === ":" && before === "{") return "names";
  if (after === ":" && (before === "," || before === "(")) return "declares"; // a key, or a parameter with its type
  if (!BEGINS_ELEMENT.has(before) || !ENDS_ELEMENT.has(after)) return "reads";
  const open = openerOf(tokens, at);
  if (text(open) === "{" && before !== ":") return "declares"; // `{ name }` takes or gives one
  return isBound(tokens, open) ? "declares" : "reads";
}

/** Whether what the bracket encloses are variables that get values: a pattern, or parameters. */
function isBound(tokens: readonly Token[], open: number): boolean {
  const text = (place: number): string => tokens[place]?.text ?? "";
  const before = text(open - 1);
  const close = closerOf(tokens, open);
  const isArrow = text(close + 1) === "=" && text(close + 2) === ">";
  switch (text(open)) {
    case "(":
      return isArrow || (text(close + 1) === "{" && !TESTS.has(before));
    case "[":
    case "{":
      if (DECLARES.has(before) || (text(close + 1) === "=" && text(close + 2) !== "=")) return true;
      return BEGINS_ELEMENT.has(before) && isBound(tokens, openerOf(tokens, open));
    default:
      return false;
  }
}

/** The bracket that encloses the token; -1: none does. */
function openerOf(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let place = at - 1; place >= 0; place--) {
    const text = tokens[place]?.text ?? "";
    if (opens(text) && depth-- === 0) return place;
    if (closes(text)) depth += 1;
  }
  return -1;
}

function closerOf(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let place = open + 1; place < tokens.length; place++) {
    const text = tokens[place]?.text ?? "";
    if (closes(text) && depth-- === 0) return place;
    if (opens(text)) depth += 1;
  }
  return tokens.length;
}

/** A part of a template may close one and open the next. */
function opens(text: string): boolean {
  return text === "{" || text === "[" || text === "(" || /^[`}][^]*\$\{$/.test(text);
}

function closes(text: string): boolean {
  return text === "]" || text === ")" || text.startsWith("}");
}

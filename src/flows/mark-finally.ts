// Marks the `finally` blocks of a source text: each says when it begins and when it ends (`core/shield.ts`). Nothing else
// of the text changes, no line moves, and of TypeScript it need not know more than where words, strings, comments and
// regular expressions are.

/** Under this key of `globalThis` a marked block finds whom to tell: any module, of whatever kind, can reach it. */
export const FINALLY_KEY = "taskonaut.finally";

const BEGIN = `const $taskonaut=globalThis[Symbol.for(${JSON.stringify(FINALLY_KEY)})]();try{`;
const END = "}finally{$taskonaut()}";

/** After one of these a slash begins a regular expression; after any other word it divides. */
const WORDS_BEFORE_OPERAND = new Set(
  "return typeof case in of delete void throw new do else yield await instanceof".split(" "),
);

const SPACE = /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y;
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|\d[\w.]*/uy;
const STRING = /"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** Of a template: up to its end, or to the next `${`. */
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)?/y;

type Brace = "block" | "finally" | "template";

/** The marked text; the same one where it has no `finally` block, or where its braces do not match. */
export function markFinally(text: string): string {
  const open: Brace[] = [];
  let marked = "";
  let copied = 0;
  let at = 0;
  /** The last word or sign before `at`. */
  let last = "";
  const insert = (mark: string, where: number): void => {
    marked += text.slice(copied, where) + mark;
    copied = where;
  };
  const match = (form: RegExp): string => {
    form.lastIndex = at;
    return form.exec(text)?.[0] ?? "";
  };
  const template = (): void => {
    const part = match(TEMPLATE);
    at += part.length;
    if (part.endsWith("${")) open.push("template");
    last = part.endsWith("${") ? "(" : "`";
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== "") {
      at += space.length;
      continue;
    }
    const token = match(WORD) || match(STRING) || (isOperandNext(last) && match(REGEXP)) || text.charAt(at);
    at += token.length;
    if (token === "`") {
      template();
      continue;
    }
    if (token === "{") {
      open.push(last === "finally" ? "finally" : "block");
      if (last === "finally") insert(BEGIN, at);
    } else if (token === "}") {
      const brace = open.pop();
      if (brace === undefined) return text;
      if (brace === "finally") insert(END, at - 1);
      if (brace === "template") {
        template();
        continue;
      }
    }
    // a property may be called so as well: `promise.finally`
    last = last === "." && token === "finally" ? "name" : token;
  }
  return open.length === 0 ? marked + text.slice(copied) : text;
}

/** Whether what follows is a value, so that a slash does not divide. */
function isOperandNext(last: string): boolean {
  if (/^[\w$#\p{ID_Continue}]/u.test(last)) return WORDS_BEFORE_OPERAND.has(last);
  return !/^["'`/)\]]/.test(last);
}

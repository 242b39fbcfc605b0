// The tokens of a source text. It only knows where words, strings, comments, templates and regular expressions are.

export interface Token {
  /** For a template, one of its parts: from a backtick or `}` to a backtick or `${`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** After one of these words a slash begins a regular expression. After any other word it divides. */
const WORDS_BEFORE_OPERAND = new Set(
  "return typeof case in of delete void throw new do else yield await instanceof".split(" "),
);

const SPACE = /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y;
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|\d[\w.]*/uy;
const STRING = /"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** A template up to its end, or to the next `${`. */
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)?/y;

/** Leaves out spaces and comments. Undefined if the braces of a template do not match. */
export function readTokens(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  /** For each open template: the number of open braces inside it. */
  const templates: number[] = [];
  let at = 0;
  /** The last token, as far as it decides what may follow. */
  let last = "";
  const match = (form: RegExp): string => {
    form.lastIndex = at;
    return form.exec(text)?.[0] ?? "";
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== "") {
      at += space.length;
      continue;
    }
    const start = at;
    let token = match(WORD) || match(STRING) || (isOperandNext(last) && match(REGEXP)) || text.charAt(at);
    at += token.length;
    const depth = templates.at(-1);
    const goesOn = token === "}" && depth === 0;
    if (token === "`" || goesOn) {
      const part = match(TEMPLATE);
      at += part.length;
      token += part;
      if (goesOn) templates.pop();
      if (part.endsWith("${")) templates.push(0);
      last = part.endsWith("${") ? "(" : "`";
    } else {
      if (depth !== undefined && token === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && token === "}") templates[templates.length - 1] = depth - 1;
      // a property may have this name: `promise.finally`
      last = last === "." && WORDS_BEFORE_OPERAND.has(token) ? "name" : token;
    }
    tokens.push({ text: token, start, end: at });
  }
  return templates.length === 0 ? tokens : undefined;
}

/** Whether a value follows, so that a slash does not divide. */
function isOperandNext(last: string): boolean {
  if (/^[\w$#\p{ID_Continue}]/u.test(last)) return WORDS_BEFORE_OPERAND.has(last);
  return !/^["'`/)\]]/.test(last);
}

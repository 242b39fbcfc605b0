// Makes a text that matches a regular expression, for examples. It knows classes, repetitions, groups and alternatives, as
// in patterns of article numbers and codes. It gives up if the pattern has anything else. The caller checks the text.

/** Undefined: none is found. The shortest repetitions and the first alternatives are taken. */
export function textOfPattern(pattern: string): string | undefined {
  if (pattern.length > LENGTH_MAX) return undefined;
  const reader: Reader = { pattern, at: 0 };
  const text = readAlternatives(reader);
  return reader.at === pattern.length ? text : undefined;
}

interface Reader {
  readonly pattern: string;
  at: number;
}

/** Longer ones are no examples. */
const LENGTH_MAX = 1000;

/** Of a class that says what there must not be. */
const CANDIDATES: readonly string[] = ["A", "a", "0", "-", "_", " ", ".", ":", "/", "@", "#", ",", "x"];

const CLASSES: Readonly<Record<string, string>> = { d: "0", w: "a", s: " ", D: "a", W: "-", S: "a" };

function readAlternatives(reader: Reader): string | undefined {
  const first = readSequence(reader);
  while (peek(reader) === "|") {
    reader.at++;
    if (readSequence(reader) === undefined) return undefined;
  }
  return first;
}

function readSequence(reader: Reader): string | undefined {
  let text = "";
  for (let next = peek(reader); next !== "" && next !== "|" && next !== ")"; next = peek(reader)) {
    const part = readPart(reader);
    const times = readTimes(reader);
    if (part === undefined || part.length * times > LENGTH_MAX) return undefined;
    text += part.repeat(times);
  }
  return text;
}

function readPart(reader: Reader): string | undefined {
  const next = reader.pattern[reader.at++] ?? "";
  switch (next) {
    case "^":
    case "$":
      return "";
    case ".":
      return "a";
    case "\\":
      return readEscape(reader);
    case "[":
      return readClass(reader);
    case "(":
      return readGroup(reader);
    default:
      return /[*+?{]/.test(next) ? undefined : next;
  }
}

function readEscape(reader: Reader): string | undefined {
  const letter = reader.pattern[reader.at++] ?? "";
  if (letter === "b") return "";
  return CLASSES[letter] ?? (/[a-z\d]/i.test(letter) ? undefined : letter);
}

function readGroup(reader: Reader): string | undefined {
  const [head = ""] = /^\?(?::|<\w+>)/.exec(reader.pattern.slice(reader.at)) ?? [];
  if (head === "" && peek(reader) === "?") return undefined; // it looks ahead or behind
  reader.at += head.length;
  const text = readAlternatives(reader);
  return reader.pattern[reader.at++] === ")" ? text : undefined;
}

/** Its first character; of one that says what there must not be, any that it does not name. */
function readClass(reader: Reader): string | undefined {
  const end = /(?<!\\)(?:\\\\)*\]/.exec(reader.pattern.slice(reader.at));
  if (end === null) return undefined;
  const length = end.index + end[0].length;
  const [source, inner] = [`[${reader.pattern.slice(reader.at, reader.at + length)}`, reader.at];
  reader.at = inner + length;
  const form = new RegExp(`^${source}$`, "u");
  const first = reader.pattern[inner] ?? "";
  return [first, ...CANDIDATES].find((character) => character !== "^" && form.test(character));
}

/** How often the part before stands at least. A lazy quantifier counts like a greedy one. */
function readTimes(reader: Reader): number {
  const [all = "", sign = "", least = "1"] =
    /^(?:([*+?])|\{(\d+)(?:,\d*)?\})\??/.exec(reader.pattern.slice(reader.at)) ?? [];
  reader.at += all.length;
  return sign === "*" || sign === "?" ? 0 : Number(least);
}

function peek({ pattern, at }: Reader): string {
  return pattern[at] ?? "";
}

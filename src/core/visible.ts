// Makes text of users and tools safe to show. A terminal must not get its control characters, and neither a terminal nor a
// browser may show it in another order than it is written in.

/** Controls (C0, DEL, C1), line separators, bidirectional marks and overrides, and surrogates without a partner. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]/gu;

/** In a page, line breaks and tabs are space. */
const SPACE: ReadonlySet<string> = new Set(["\n", "\r", "\t"]);

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with every such character written out: `\n`, `\x1b`, `\u202e`. The result is one line. */
export function showControls(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? writeOut(character));
}

/** JSON text with every such character as its JSON escape: the same value, safe to show. Line breaks between values stay. */
export function escapeControls(json: string): string {
  return json.replace(UNSAFE, (character) => (character === "\n" ? character : escape(character)));
}

/** For a page: the text with every such character as JSON writes it, so that JSON stays what it is. */
export function showInPage(text: string): string {
  return text.replace(UNSAFE, (character) => (SPACE.has(character) ? character : escape(character)));
}

function writeOut(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : escape(character);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const PLAIN = /^[\w%+,./:@-]+$/;

/** The text as one word for a POSIX shell. */
export function quoteForShell(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

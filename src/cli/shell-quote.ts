// Words for a POSIX shell.

import { showControls } from "../log/visible.ts";

const PLAIN = /^[\w%+,./:@-]+$/;

/**
 * The text as one word that a POSIX shell reads back as it is; undefined where a terminal could not show it as it is (a
 * control character), so nobody could copy it.
 */
export function quoteWord(text: string): string | undefined {
  if (showControls(text) !== text) return undefined;
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

import { quoteForShell } from "../core/shell-quote.ts";
import { showControls } from "../core/visible.ts";

/**
 * The text as one word that a POSIX shell reads back as it is; undefined where a terminal could not show it as it is (a
 * control character), so nobody could copy it.
 */
export function quoteWord(text: string): string | undefined {
  return showControls(text) === text ? quoteForShell(text) : undefined;
}

// Wraps sentences for a terminal, between words. A word that is wider than the terminal (a path, a command) stays whole, so
// that it can be copied; the terminal breaks it by itself.

import { showControls } from "../core/visible.ts";
import type { Output } from "./io.ts";

/** The same with `indent` before each line, and some more before those that go on. */
export function wrapIndented(text: string, indent: string, output: Pick<Output, "isTTY" | "columns">): string {
  const columns = Math.max(output.columns - indent.length - GOES_ON.length, COLUMNS_MIN);
  return `${indent}${wrapWords(text, { isTTY: output.isTTY, columns }).replaceAll("\n", `\n${indent}${GOES_ON}`)}`;
}

const GOES_ON = "  ";
const COLUMNS_MIN = 16;

/** Line breaks of the text stay, other controls are written out. Where there is no terminal, lines are as long as they are. */
export function wrapWords(text: string, { isTTY, columns }: Pick<Output, "isTTY" | "columns">): string {
  const lines = text.split("\n").map(showControls);
  return isTTY ? lines.map((line) => wrapLine(line, columns)).join("\n") : lines.join("\n");
}

function wrapLine(line: string, columns: number): string {
  let wrapped = "";
  let used = 0;
  for (const word of line.split(" ")) {
    const width = Bun.stringWidth(word);
    const isFirst = wrapped === "";
    const breaks = !isFirst && used + 1 + width > columns;
    wrapped += isFirst ? word : `${breaks ? "\n" : " "}${word}`;
    used = isFirst || breaks ? width : used + 1 + width;
    // the terminal has broken it
    used = used > columns ? used % columns : used;
  }
  return wrapped;
}

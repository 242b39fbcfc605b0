// The line of a source file that an error is about, with a mark under the place.

import { readFileSync, statSync } from "node:fs";
import type { Paint } from "../log/paint.ts";
import { showControls } from "../core/visible.ts";
import { shorten } from "./cells.ts";

/** How a message begins that names a place: `/home/me/flows/order.ts:12:5: …`. */
const PLACE = /^(\/[^\n]*?):(\d+):(\d+): /;

/** A larger file is not read: people do not write such files. */
const BYTES_MAX = 4 * 1024 * 1024;

/** So much of the line is shown from the mark on at least, where the line is longer than the terminal is wide. */
const AFTER = 20;

/** None if the message names no place, or if the file cannot be read any more. */
export function showSource(message: string, { columns, paint }: { columns: number; paint: Paint }): readonly string[] {
  const [, path, line, column] = PLACE.exec(message) ?? [];
  if (path === undefined) return [];
  const text = readLine(path, Number(line));
  return text === undefined ? [] : frame(text, { line: Number(line), column: Number(column), columns, paint });
}

interface Place {
  /** Both from 1; `column` counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly columns: number;
  readonly paint: Paint;
}

function frame(text: string, { line, column, columns, paint }: Place): readonly string[] {
  const gutter = `${String(line).padStart(5)} | `;
  const room = Math.max(columns - gutter.length, 2 * AFTER);
  const [before, after] = [text.slice(0, column - 1), text.slice(column - 1)].map(plain) as [string, string];
  const head = endOf(before, room - Math.min(Bun.stringWidth(after), AFTER));
  const mark = `${" ".repeat(gutter.length - 2)}| ${" ".repeat(Bun.stringWidth(head))}`;
  return [
    `${paint("dim", gutter)}${shorten(head + after, room)}`,
    `${paint("dim", mark.slice(0, gutter.length))}${mark.slice(gutter.length)}${paint("red", "^")}`,
  ];
}

/** The end of the text, at most so wide. A `…` marks a cut. */
function endOf(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  let end = text.slice(-width);
  while (Bun.stringWidth(end) >= width) end = end.slice(1);
  return `…${end}`;
}

function plain(text: string): string {
  return showControls(text.replaceAll("\t", "  "));
}

function readLine(path: string, line: number): string | undefined {
  try {
    if (statSync(path).size > BYTES_MAX) return undefined;
    return readFileSync(path, "utf8").split("\n")[line - 1]?.trimEnd();
  } catch {
    return undefined;
  }
}

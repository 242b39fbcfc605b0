// Text in columns of a terminal: widths count terminal columns, not code units.

import type { Json } from "../core/record/json-value.ts";
import type { Color, Paint } from "../log/paint.ts";
import { escapeControls, showControls } from "../core/visible.ts";

export interface Cell {
  readonly text: string;
  readonly color?: Color;
}

/** At most `width` columns of the text, in whole characters. A `…` marks a cut. */
export function shorten(text: string, width: number): string {
  // hardly any character has 0 columns: text far beyond the width is not measured
  const head = text.length > width * 8 + 64 ? text.slice(0, width * 8 + 64) : text;
  if (head === text && Bun.stringWidth(text) <= width) return text;
  return width > 0 ? `${headOf(head, width - 1)}…` : "";
}

/** As many whole characters from the start of the text as `width` columns hold. */
function headOf(text: string, width: number): string {
  // the segmenter takes a millisecond to load: plain text does not need it
  const plain = text.slice(0, width + 1);
  if (/^[ -~\u2013\u2014\u2018-\u201d\u2026]*$/.test(plain)) return plain.slice(0, width);
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) {
    const columns = Bun.stringWidth(segment);
    if (used + columns > width) break;
    kept += segment;
    used += columns;
  }
  return kept;
}

/** Text of users and tools as one safe line of at most `width` columns. */
export function showText(text: string, width: number): string {
  return shorten(showControls(text.slice(0, textMax(width))), width);
}

/** A person would not read more than this. */
const WRAPPED_MAX = 8192;

const LEADING_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/;

/**
 * The whole text of users and tools, as safe lines of at most `width` columns, broken at spaces if possible. An id is
 * never broken, so its line may be longer.
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = showControls(text.length > WRAPPED_MAX ? `${text.slice(0, WRAPPED_MAX)}…` : text);
  while (Bun.stringWidth(rest) > width) {
    const head = headOf(rest, width) || rest;
    const space = rest[head.length] === " " ? head.length : head.lastIndexOf(" ");
    // people copy ids
    const id = LEADING_ID.exec(rest)?.[0] ?? "";
    const end = space > 0 ? space : Math.max(head.length, id.length);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** Takes texts that say the same, the longest first, and gives the first that fits. If none fits, it cuts the last one. */
export function firstThatFits(width: number, texts: readonly string[]): string {
  return texts.find((text) => Bun.stringWidth(text) <= width) ?? showText(texts.at(-1) ?? "", width);
}

/** A JSON value as one safe line of at most `width` columns; nothing for null. */
export function showJson(value: Json, width: number): string {
  return value === null ? "" : shorten(escapeControls(JSON.stringify(value).slice(0, textMax(width))), width);
}

/** Enough characters to fill the width and to tell that there are more. */
function textMax(width: number): number {
  return Math.max(width, 0) * 8 + 128;
}

/** Rows under each other, each column as wide as its widest cell and at least as `least` says; the last is not padded. */
export function alignRows(rows: readonly (readonly Cell[])[], paint: Paint, least: readonly number[] = []): string[] {
  const widths = [...least];
  for (const row of rows) {
    row.forEach(({ text }, column) => {
      widths[column] = Math.max(widths[column] ?? 0, Bun.stringWidth(text));
    });
  }
  return rows.map((row) =>
    row
      .map(({ text, color }, column) => {
        const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - Bun.stringWidth(text);
        return (color ? paint(color, text) : text) + " ".repeat(padding);
      })
      .join("  ")
      .trimEnd(),
  );
}

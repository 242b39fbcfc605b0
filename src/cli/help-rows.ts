// Names with a text for each: in two columns if the terminal is wide enough, else one under the other.

import { wrapText } from "./cells.ts";

/** A part of the help; without a title it is prose. */
export interface HelpSection {
  readonly title?: string;
  readonly body: string;
}

export interface HelpRow {
  readonly name: string;
  readonly text: string;
}

/** A longer name stands in a line of its own. */
const NAME_COLUMNS_MAX = 28;
/** With less room beside the names, the texts stand under them. */
const TEXT_COLUMNS_MIN = 32;
const INDENT = 2;
const GAP = 2;

/** Lines of at most `columns` columns, unless a name is longer. `beside`: other rows, whose texts these align with. */
export function layRows(
  rows: readonly HelpRow[],
  { columns, beside = rows }: { readonly columns: number; readonly beside?: readonly HelpRow[] },
): string {
  const widths = beside.map(({ name }) => Bun.stringWidth(name)).filter((width) => width <= NAME_COLUMNS_MAX);
  const left = INDENT + Math.max(0, ...widths) + GAP;
  const isBeside = columns - left >= TEXT_COLUMNS_MIN;
  return rows.flatMap((row) => (isBeside ? layBeside(row, left, columns) : layUnder(row, columns))).join("\n");
}

function layBeside({ name, text }: HelpRow, left: number, columns: number): readonly string[] {
  const [first = "", ...others] = linesOf(text, columns - left);
  const isTooLong = INDENT + Bun.stringWidth(name) + GAP > left;
  const head = indent(INDENT, name);
  const lines = isTooLong ? [head, indent(left, first)] : [head + " ".repeat(left - Bun.stringWidth(head)) + first];
  return [...lines, ...others.map((line) => indent(left, line))].map((line) => line.trimEnd());
}

function layUnder({ name, text }: HelpRow, columns: number): readonly string[] {
  const deep = 3 * INDENT;
  return [indent(INDENT, name), ...linesOf(text, columns - deep).map((line) => indent(deep, line))];
}

function linesOf(text: string, width: number): readonly string[] {
  return text === "" ? [] : wrapText(text, Math.max(width, 1));
}

function indent(columns: number, text: string): string {
  return " ".repeat(columns) + text;
}

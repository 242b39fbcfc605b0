// Tables that fit every terminal: columns shrink first, then the least important ones disappear, and no line is wider than
// the terminal. Each cell renders itself for a given width, so wide characters are never cut in half.

import type { Paint } from "../log/paint.ts";
import { type Cell, shorten } from "./cells.ts";

export interface Column<Row> {
  readonly head: string;
  /** The cell of the row, in at most `width` columns of the terminal. */
  readonly show: (row: Row, width: number) => Cell;
  /** Its least width. By default the width of its widest cell. */
  readonly least?: number;
  /** Its greatest width. By default the width of the terminal. */
  readonly most?: number;
  /** Without room, the column with the highest number disappears first. Without a number it stays. */
  readonly goes?: number;
  /** Columns with the lowest number get room first. The default is 1. */
  readonly turn?: number;
  /** It has either its full width or its least width, nothing in between. */
  readonly isStiff?: boolean;
  readonly right?: boolean;
}

/** Columns with their widths: rows that come later stand under the first ones. */
export interface Layout<Row> {
  readonly columns: readonly { readonly column: Column<Row>; readonly width: number }[];
}

const GAP = 2;

/**
 * A column whose cells are all empty is left out; where more rows are to come (`isOpen`) it is kept as narrow as it may
 * be, since they may fill it.
 */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, isOpen = false }: { readonly width: number; readonly isOpen?: boolean },
): Layout<Row> {
  let measured = columns.flatMap((column) => measure(column, rows, { width, isOpen }) ?? []);
  while (widthOf(measured.map(({ least }) => least)) > width) {
    const next = measured.reduce<Measured<Row> | undefined>(
      (first, each) => ((each.column.goes ?? 0) > (first?.column.goes ?? 0) ? each : first),
      undefined,
    );
    if (next === undefined) break;
    measured = measured.filter((each) => each !== next);
  }
  const widths = measured.map(({ least }) => least);
  const turns = new Set(measured.map(turnOf));
  for (const turn of [...turns].toSorted((a, b) => a - b))
    spread(measured, widths, width, (each) => turnOf(each) === turn);
  squeeze(widths, width);
  return { columns: measured.map(({ column }, place) => ({ column, width: widths[place] ?? 0 })) };
}

/** The head alone. */
export function drawHead<Row>({ columns }: Layout<Row>, paint: Paint): string {
  return drawLine(
    columns.map(({ column: { head, right }, width }) => ({
      cell: { text: shorten(head, width), color: "dim" },
      width,
      right,
    })),
    paint,
  );
}

/** A line for each row. */
export function drawRows<Row>({ columns }: Layout<Row>, rows: readonly Row[], paint: Paint): string[] {
  return rows.map((row) =>
    drawLine(
      columns.map(({ column, width }) => ({ cell: fit(column.show(row, width), width), width, right: column.right })),
      paint,
    ),
  );
}

/** Head and rows, each line without its break. */
export function drawTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: width, paint }: { readonly columns: number; readonly paint: Paint },
): string[] {
  const layout = layOut(columns, rows, { width });
  return [drawHead(layout, paint), ...drawRows(layout, rows, paint)];
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly least: number;
  readonly wanted: number;
}

/** Undefined: the column is empty. */
function measure<Row>(
  column: Column<Row>,
  rows: readonly Row[],
  { width, isOpen }: { readonly width: number; readonly isOpen: boolean },
): Measured<Row> | undefined {
  const most = Math.min(column.most ?? width, width);
  const cells = rows.map((row) => Bun.stringWidth(column.show(row, most).text));
  const widest = Math.max(0, ...cells);
  if (widest === 0 && !isOpen) return undefined;
  const wanted = Math.max(widest, Bun.stringWidth(column.head), isOpen ? (column.least ?? 0) : 0);
  return { column, wanted, least: Math.min(wanted, column.least ?? wanted) };
}

function turnOf<Row>({ column: { turn = 1 } }: Measured<Row>): number {
  return turn;
}

function widthOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP * Math.max(widths.length - 1, 0);
}

/** Shares the remaining room equally among the columns that want more. */
function spread<Row>(
  measured: readonly Measured<Row>[],
  widths: number[],
  width: number,
  isMeant: (each: Measured<Row>) => boolean,
): void {
  let left = width - widthOf(widths);
  while (left > 0) {
    const room = left;
    const hungry = measured.flatMap((each, place) => {
      const missing = each.wanted - (widths[place] ?? 0);
      const isFed = missing <= 0 || (each.column.isStiff === true && missing > room);
      return isMeant(each) && !isFed ? [{ place, wanted: each.wanted, isStiff: each.column.isStiff }] : [];
    });
    if (hungry.length === 0) return;
    const share = Math.max(Math.floor(left / hungry.length), 1);
    for (const { place, wanted, isStiff } of hungry) {
      const missing = wanted - (widths[place] ?? 0);
      const more = isStiff ? (missing <= left ? missing : 0) : Math.min(share, missing, left);
      widths[place] = (widths[place] ?? 0) + more;
      left -= more;
    }
  }
}

/** Narrows the last columns if no further column may disappear. */
function squeeze(widths: number[], width: number): void {
  for (let place = widths.length - 1; place >= 0; place--) {
    const tooMuch = widthOf(widths) - width;
    if (tooMuch <= 0) return;
    widths[place] = Math.max((widths[place] ?? 0) - tooMuch, 1);
  }
}

/** Cuts a cell that is wider than its column. */
function fit(cell: Cell, width: number): Cell {
  return { ...cell, text: shorten(cell.text, width) };
}

interface Placed {
  readonly cell: Cell;
  readonly width: number;
  readonly right: boolean | undefined;
}

function drawLine(cells: readonly Placed[], paint: Paint): string {
  return cells
    .map(({ cell: { text, color }, width, right }, place) => {
      const shown = color && text !== "" ? paint(color, text) : text;
      const padding = " ".repeat(Math.max(width - Bun.stringWidth(text), 0));
      if (right) return padding + shown;
      return place === cells.length - 1 ? shown : shown + padding;
    })
    .join(" ".repeat(GAP))
    .trimEnd();
}

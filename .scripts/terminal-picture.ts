// A terminal's screen as an SVG: the output of a program in a real pseudo-terminal, with its colors.

import { type IBufferCell, Terminal } from "@xterm/headless";

export interface Theme {
  readonly background: string;
  readonly foreground: string;
  readonly frame: string;
  /** The sixteen colors of a terminal, in order. */
  readonly palette: readonly string[];
}

export const LIGHT: Theme = {
  background: "#ffffff",
  foreground: "#1f2328",
  frame: "#d1d9e0",
  palette: [
    "#24292f",
    "#cf222e",
    "#116329",
    "#7d4e00",
    "#0969da",
    "#8250df",
    "#1b7c83",
    "#6e7781",
    "#57606a",
    "#a40e26",
    "#1a7f37",
    "#633c01",
    "#218bff",
    "#a475f9",
    "#3192aa",
    "#8c959f",
  ],
};

export const DARK: Theme = {
  background: "#0d1117",
  foreground: "#e6edf3",
  frame: "#3d444d",
  palette: [
    "#484f58",
    "#ff7b72",
    "#3fb950",
    "#d29922",
    "#58a6ff",
    "#bc8cff",
    "#39c5cf",
    "#b1bac4",
    "#6e7681",
    "#ffa198",
    "#56d364",
    "#e3b341",
    "#79c0ff",
    "#d2a8ff",
    "#56d4dd",
    "#ffffff",
  ],
};

const SIZE = { cell: 8.4, line: 19, font: 14, margin: 18 };

/** `raw` is the whole output. The picture is as high as the final screen. */
export async function pictureOf(raw: string, columns: number, theme: Theme): Promise<string> {
  const terminal = new Terminal({ cols: columns, rows: 200, allowProposedApi: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  terminal.write(raw, resolve);
  await promise;
  const lines = linesOf(terminal);
  const last = lines.findLastIndex((line) => line.trim() !== "");
  const [width, height] = [columns * SIZE.cell + 2 * SIZE.margin, (last + 1) * SIZE.line + 2 * SIZE.margin];
  const rows = lines.slice(0, last + 1).map((_, row) => rowOf(terminal, row, theme));
  terminal.dispose();
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img">`,
    `<title>${escape(lines.filter((line) => line.startsWith("$ ")).join("\n"))}</title>`,
    `<rect x="0.5" y="0.5" width="${(width - 1).toFixed(0)}" height="${height - 1}" rx="8" fill="${theme.background}" stroke="${theme.frame}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${SIZE.font}" fill="${theme.foreground}" xml:space="preserve">`,
    ...rows.filter((row) => row !== ""),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function linesOf(terminal: Terminal): readonly string[] {
  const buffer = terminal.buffer.active;
  return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? "");
}

/** One text element per run of cells with the same look, placed by column, so that no font moves the following text. */
function rowOf(terminal: Terminal, row: number, theme: Theme): string {
  const line = terminal.buffer.active.getLine(row);
  const y = SIZE.margin + (row + 0.75) * SIZE.line;
  const spans: { readonly column: number; readonly look: string; text: string }[] = [];
  for (let column = 0; column < terminal.cols; column++) {
    const cell = line?.getCell(column);
    if (!cell || cell.getWidth() === 0) continue;
    const look = lookOf(cell, theme);
    const before = spans.at(-1);
    if (before?.look === look) before.text += cell.getChars() || " ";
    else spans.push({ column, look, text: cell.getChars() || " " });
  }
  return spans
    .filter(({ text }) => text.trim() !== "")
    .map(({ column, look, text }) => {
      const start = column + text.length - text.trimStart().length;
      const x = SIZE.margin + start * SIZE.cell;
      const length = Bun.stringWidth(text.trim()) * SIZE.cell;
      return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" textLength="${length.toFixed(1)}"${look}>${escape(text.trim())}</text>`;
    })
    .join("\n");
}

function lookOf(cell: IBufferCell, theme: Theme): string {
  const color = cell.isFgPalette() ? colorOf(cell.getFgColor(), theme) : undefined;
  return [
    color === undefined ? "" : ` fill="${color}"`,
    cell.isBold() ? ' font-weight="bold"' : "",
    cell.isDim() ? ' opacity="0.65"' : "",
  ].join("");
}

/** The terminal's own sixteen colors, then a cube of 6 × 6 × 6, then 24 grays. */
function colorOf(index: number, { palette }: Theme): string | undefined {
  if (index < 16) return palette[index];
  const parts =
    index < 232
      ? [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6].map(
          (level) => level && 55 + 40 * level,
        )
      : Array<number>(3).fill(8 + 10 * (index - 232));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// What a terminal shows, once it has obeyed everything that was written to it: the emulator of xterm.js, without a window.

import { type IBufferCell, Terminal } from "@xterm/headless";

export class Screen {
  readonly #terminal: Terminal;

  constructor(columns: number, rows: number) {
    this.#terminal = new Terminal({
      cols: columns,
      rows,
      scrollback: 10_000,
      allowProposedApi: true,
      convertEol: true,
    });
  }

  /** Resolves when it is shown. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** All lines, those that have scrolled away too, without the spaces at their ends; lines that the terminal broke are whole. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let y = 0; y < active.length; y++) {
      const line = active.getLine(y);
      const text = line?.translateToString() ?? "";
      if (line?.isWrapped) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
    }
    const shown = lines.map((line) => line.trimEnd());
    while (shown.at(-1) === "") shown.pop();
    return shown;
  }

  /** The same with what is painted in marks: `{red FAILED}`. */
  get painted(): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let y = 0; y < active.length; y++) {
      const line = active.getLine(y);
      const runs: Run[] = [];
      for (let x = 0; x < (line?.length ?? 0); x++) {
        const cell = line?.getCell(x);
        if (!cell || cell.getWidth() === 0) continue;
        const [paint, last] = [paintOf(cell), runs.at(-1)];
        const text = cell.getChars() || " ";
        if (last?.paint === paint) last.text += text;
        else runs.push({ paint, text });
      }
      const text = joinWords(runs)
        .map((run) => (run.paint === "" ? run.text : `{${run.paint} ${run.text}}`))
        .join("");
      if (line?.isWrapped) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
    }
    const shown = lines.map((line) => line.trimEnd());
    while (shown.at(-1) === "") shown.pop();
    return shown;
  }

  /** Where the cursor stands: column and row from 0, and how many lines there are. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.baseY + active.cursorY };
  }
}

/** Of the 256 colours: those of `src/log/paint.ts`, and of the first 16 those that questions have. */
const COLORS: Readonly<Record<number, string>> = {
  1: "red",
  2: "green",
  3: "yellow",
  4: "blue",
  6: "cyan",
  8: "gray",
  28: "green",
  31: "cyan",
  63: "blue",
  130: "yellow",
  196: "red",
  243: "dim",
};

interface Run {
  readonly paint: string;
  text: string;
}

/** Words of one colour are one run, whatever the spaces between them have. */
function joinWords(runs: readonly Run[]): readonly Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const [before, space] = [joined.at(-2), joined.at(-1)];
    if (before && space?.text === " " && before.paint === run.paint) {
      joined.pop();
      before.text += ` ${run.text}`;
    } else joined.push({ ...run });
  }
  return joined;
}

function paintOf(cell: IBufferCell): string {
  if (cell.getChars().trim() === "") return "";
  const color = cell.isFgPalette() ? [COLORS[cell.getFgColor()] ?? `color ${cell.getFgColor()}`] : [];
  const styles = [cell.isBold() ? "bold" : "", cell.isDim() ? "dim" : "", cell.isInverse() ? "inverse" : ""];
  return [...styles.filter(Boolean), ...color].join(" ");
}

/** What is left to be seen of all that was written. */
export async function screenOf(written: string, columns: number, rows = 40): Promise<string> {
  const screen = new Screen(columns, rows);
  await screen.write(written);
  return screen.lines.map((line) => `${line}\n`).join("");
}

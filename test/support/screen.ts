// What a terminal shows, once it has obeyed everything that was written to it: the emulator of xterm.js, without a window.

import { Terminal } from "@xterm/headless";

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

  /** Where the cursor stands: column and row from 0, and how many lines there are. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.baseY + active.cursorY };
  }
}

/** What is left to be seen of all that was written. */
export async function screenOf(written: string, columns: number, rows = 40): Promise<string> {
  const screen = new Screen(columns, rows);
  await screen.write(written);
  return screen.lines.map((line) => `${line}\n`).join("");
}

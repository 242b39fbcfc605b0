// Lines at the bottom of a terminal that change while a command works. Everything else that is said goes above them.
//
// LA1. The cursor rests at the beginning of the line below. So whatever ends the process, SIGKILL included, leaves a
//      clean terminal: nothing is hidden, and no line is half written.
// LA2. What this gives is written whole, and in this order. It knows what is on the screen by what it has given.
// LA3. A line is narrower than the terminal. Where that has become narrower since, terminals break lines: they are
//      counted as they stand now.

const ESCAPE = "\u001B";
const TO_LINE_END = `${ESCAPE}[K`;
const TO_SCREEN_END = `${ESCAPE}[J`;
const PLAIN = `${ESCAPE}[0m`;

/** A line of others that is not finished waits for its end; a longer one is ended here. */
const UNFINISHED_MAX = 4096;

export class LiveArea {
  #lines: readonly string[] = [];
  /** What others have begun to say. */
  #unfinished = "";

  /** Of the terminal as it is now. */
  constructor(private readonly columns: () => number) {}

  /** What to write so that `text` stands above `lines`, in the place of what was there. */
  draw(text: string, lines: readonly string[]): string {
    const said = this.#take(text);
    const up = this.#up();
    this.#lines = lines;
    if (said === "") return `${up}${lines.map((line) => `${line}${TO_LINE_END}\n`).join("")}${TO_SCREEN_END}`;
    const reset = said.includes(ESCAPE) ? PLAIN : "";
    return `${up}${TO_SCREEN_END}${said}${reset}${lines.map((line) => `${line}\n`).join("")}`;
  }

  /** What to write so that `text` stands above the same lines. */
  say(text: string): string {
    return this.draw(text, this.#lines);
  }

  /** What to write at the end. `keeps`: the lines stay on the screen like other text. Otherwise they are removed. */
  end({ keeps }: { readonly keeps: boolean }): string {
    const rest = this.#unfinished === "" ? "" : "\n";
    const lines = keeps ? this.#lines : [];
    return this.draw(rest, lines);
  }

  /**
   * What to write so that `text` and `lines` stand below what somebody else wrote meanwhile. Where that did not end its
   * line, a row of spaces leads to the next one; at the beginning of a line it leads nowhere.
   */
  below(text: string, lines: readonly string[]): string {
    this.#lines = [];
    return `${" ".repeat(Math.max(this.columns(), 1))}${this.draw(text, lines)}`;
  }

  /** The program was stopped and goes on: what is on the screen by now, nobody knows. */
  forget(): void {
    this.#lines = [];
  }

  /** The finished lines of what was said. */
  #take(text: string): string {
    const all = this.#unfinished + text;
    const end = all.lastIndexOf("\n") + 1;
    this.#unfinished = all.slice(end);
    if (this.#unfinished.length <= UNFINISHED_MAX) return all.slice(0, end);
    this.#unfinished = "";
    return `${all}\n`;
  }

  /** To the beginning of the first line. */
  #up(): string {
    const columns = Math.max(this.columns(), 1);
    const rows = this.#lines.reduce((sum, line) => sum + Math.max(Math.ceil(Bun.stringWidth(line) / columns), 1), 0);
    return rows === 0 ? "\r" : `\r${ESCAPE}[${rows}A`;
  }
}

/** LA3. As wide as a line of the area may be, in a terminal of so many columns. */
export function lineColumns(columns: number): number {
  return Math.max(columns - 1, 1);
}

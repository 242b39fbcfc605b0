// The runner's output for users, without the lines in which it names itself.

/** Also with colors, and with codes before it that clear the screen. */
// oxlint-disable-next-line no-control-regex -- terminals are told by control characters
const HEAD = /^((?:\u001b\[[\d;]*[A-Za-z])*)bun test (?:\u001b\[[\d;]*m)*v\d[^\n]*\n/;
// oxlint-disable-next-line no-control-regex -- the same
const ESCAPE = /\u001b\[[\d;]*[A-Za-z]/g;
const BEGIN = "bun test v";

/** A stream of text in pieces of any size. Only a line that may be a head is held back until it is complete. */
export class Report {
  #kept = "";
  /** The empty line after a head is removed too. */
  #isAfterHead = false;
  #isLineStart = true;

  /** Returns the text that can be shown now. */
  take(piece: string): string {
    let rest = this.#kept + piece;
    this.#kept = "";
    let shown = "";
    while (rest !== "") {
      const end = rest.indexOf("\n");
      if (end < 0) {
        if (this.#isLineStart && mayBeHead(rest)) {
          this.#kept = rest;
          break;
        }
        shown += rest;
        this.#isLineStart = false;
        break;
      }
      const line = rest.slice(0, end + 1);
      rest = rest.slice(end + 1);
      shown += this.#isLineStart ? this.#wholeLine(line) : line;
      this.#isLineStart = true;
    }
    return shown;
  }

  /** Call it after the last piece. */
  end(): string {
    const rest = this.#kept;
    this.#kept = "";
    return rest;
  }

  #wholeLine(line: string): string {
    const head = HEAD.exec(line);
    const isDropped = head === null && this.#isAfterHead && line === "\n";
    this.#isAfterHead = head !== null;
    if (head) return head[1] ?? "";
    return isDropped ? "" : line;
  }
}

function mayBeHead(text: string): boolean {
  const plain = text.replaceAll(ESCAPE, "");
  return plain.startsWith(BEGIN) || BEGIN.startsWith(plain) || plain.includes("\u001b");
}

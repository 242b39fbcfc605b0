// What is said on stderr: log lines, and what user code says with `console`. Nobody waits for whoever reads it: a pipe that
// is full, or a terminal that was stopped, would stop the whole process.
//
// L1. One write is under way at a time, so that lines stay in order.
// L2. What waits is bounded. What comes beyond that is dropped and counted, and the count is told when lines flow
//     again.
// L3. Where lines stand at the bottom of the terminal and change (`live`), this alone writes to it, so it knows what is
//     on the screen. A change that comes while a write is under way replaces the one that waits.

import { fstatSync, write, writeSync } from "node:fs";

/** Of text that waits. */
const WAITING_MAX = 1024 * 1024;

/** What stands at the bottom of the terminal (`live/live-area.ts`): each gives what is to be written next. */
export interface Area {
  draw(text: string, lines: readonly string[]): string;
  say(text: string): string;
  end(how: { readonly keeps: boolean }): string;
}

/** Gives the line that tells how many texts were dropped. */
type TellDropped = (count: number) => void;

export class LineWriter {
  #waiting: string[] = [];
  #length = 0;
  #isWriting = false;
  #dropped = 0;
  #isGone = false;
  #idle: (() => void)[] = [];
  #area: Area | undefined;
  /** What the area is to show next. */
  #lines: readonly string[] | undefined;
  /** The area is to end. */
  #ending: { readonly keeps: boolean } | undefined;
  #tellDropped: TellDropped = (count) => this.write(`${count} lines were dropped: nobody read stderr.\n`);

  /** `isWaitedFor`: the write of a file ends at once, so it is made at once. */
  constructor(
    private readonly descriptor = 2,
    private readonly isWaitedFor = isFile(descriptor),
  ) {}

  /** How the count of dropped texts is told; `tell` writes a line here. */
  onDropped(tell: TellDropped): void {
    this.#tellDropped = tell;
  }

  /** Takes a text, whole lines as a rule. Never throws, and never waits. */
  readonly write = (text: string): void => {
    if (this.#isGone || text === "") return;
    if (this.isWaitedFor) return this.#writeNow(text);
    if (this.#length + text.length > WAITING_MAX && this.#length > 0) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#length += text.length;
    if (!this.#isWriting) this.#writeNext();
  };

  /** Whether something stands at the bottom: nothing else may be written to the terminal then. */
  get isLive(): boolean {
    return this.#area !== undefined;
  }

  openArea(area: Area): void {
    this.#area = area;
  }

  show(lines: readonly string[]): void {
    if (!this.#area || this.#isGone) return;
    this.#lines = lines;
    if (!this.#isWriting) this.#writeNext();
  }

  /** From then on text is written as it is. Harmless when repeated. */
  closeArea(how: { readonly keeps: boolean }): void {
    if (!this.#area) return;
    this.#ending = how;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves when all is written that was taken before, or after `msMax`. */
  async flush(msMax: number): Promise<void> {
    if (!this.#isWriting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, msMax);
    this.#idle.push(resolve);
    await promise;
    clearTimeout(timer);
  }

  #writeNow(text: string): void {
    let rest = Buffer.from(text);
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.descriptor, rest));
    } catch {
      // a full disk, for one: there is nowhere left to complain
    }
  }

  #writeNext(): void {
    if (this.#waiting.length === 0 && this.#lines === undefined && !this.#ending) {
      this.#isWriting = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#isWriting = true;
    const { length } = this.#waiting.join("");
    this.#writeOut(Buffer.from(this.#takeWaiting()), length);
  }

  /** What waits, as it is to be written. */
  #takeWaiting(): string {
    const text = this.#waiting.splice(0).join("");
    const area = this.#area;
    if (!area) return text;
    const drawn = this.#lines === undefined ? area.say(text) : area.draw(text, this.#lines);
    this.#lines = undefined;
    if (!this.#ending) return drawn;
    const last = area.end(this.#ending);
    this.#area = this.#ending = undefined;
    return drawn + last;
  }

  /** `length`: what it counts for among what waits. */
  #writeOut(bytes: Buffer, length: number): void {
    write(this.descriptor, bytes, (error, written) => {
      if (error?.code === "EAGAIN") {
        // a pipe that its owner has set not to block
        setTimeout(() => this.#writeOut(bytes, length), RETRY_MS);
      } else if (error) {
        this.#isGone = true; // nobody reads any more
        this.#waiting = [];
        this.#writeNext();
      } else if (written < bytes.length) {
        this.#writeOut(bytes.subarray(written), length);
      } else {
        this.#length -= length;
        this.#noteFlowing();
        this.#writeNext();
      }
    });
  }

  #noteFlowing(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#tellDropped(count);
  }
}

const RETRY_MS = 5;

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

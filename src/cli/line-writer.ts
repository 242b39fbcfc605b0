// Writes to stderr: log lines, and the `console` output of user code. It never waits for the reader: a full pipe, or a
// stopped terminal, would stop the whole process.
//
// L1. Only one write is under way at a time, so lines stay in order.
// L2. The waiting text is bounded. Further text is dropped and counted, and the count is logged when the reader reads
//     again.
// L3. While live lines are at the bottom of the terminal (`live`), only this class writes to it. So it knows what is on
//     the screen. A change that comes during a write replaces the change that waits.
// L4. A child process that has the terminal writes to it as well. The live lines are away until it ends (`yield`).

import { fstatSync, write, writeSync } from "node:fs";

/** Of text that waits. */
const WAITING_MAX = 1024 * 1024;

/** The live lines (`live/live-area.ts`). Each method returns the text to write next. */
export interface Area {
  draw(text: string, lines: readonly string[]): string;
  say(text: string): string;
  below(text: string, lines: readonly string[]): string;
  forget(): void;
  end(how: { readonly keeps: boolean }): string;
}

/** Gives the line that tells how many texts were dropped. */
type TellDropped = (count: number) => void;

export class LineWriter {
  #waiting: string[] = [];
  #length = 0;
  #isWriting = false;
  #takesNow: (() => boolean) | undefined;
  #dropped = 0;
  #isGone = false;
  #idle: (() => void)[] = [];
  #area: Area | undefined;
  /** What the area is to show next. */
  #lines: readonly string[] | undefined;
  /** What was shown last. */
  #shown: readonly string[] = [];
  #guests = 0;
  /** Whether the area is on the screen (L4). */
  #place: "here" | "away" | "returning" = "here";
  /** The area is to end. */
  #ending: { readonly keeps: boolean } | undefined;
  #tellDropped: TellDropped = (count) => this.write(`${count} lines were dropped: nobody read stderr.\n`);

  /** `isWaitedFor`: a write to a file ends at once, so it is synchronous. */
  constructor(
    private readonly descriptor = 2,
    private readonly isWaitedFor = isFile(descriptor),
  ) {}

  /** How the count of dropped texts is told; `tell` writes a line here. */
  onDropped(tell: TellDropped): void {
    this.#tellDropped = tell;
  }

  /** Takes a text, mostly whole lines. Never throws, and never waits. */
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

  /** Whether there are live lines. Then nothing else may write to the terminal. */
  get isLive(): boolean {
    return this.#area !== undefined;
  }

  openArea(area: Area): void {
    this.#area = area;
  }

  show(lines: readonly string[]): void {
    if (!this.#area || this.#isGone) return;
    this.#lines = this.#shown = lines;
    if (!this.#isWriting) this.#writeNext();
  }

  /**
   * L4. From now on children may get the terminal, and no write may still be under way when one starts. So if the terminal
   * takes text without waiting (`takesNow`), it is written at once.
   */
  expectGuests(takesNow: () => boolean): void {
    this.#takesNow = () => this.#area !== undefined && takesNow();
  }

  /** L4. Lets another process write to the terminal, until the returned function is called. Does nothing without live lines. */
  yield(): () => void {
    const area = this.#area;
    if (!area || this.#isGone) return () => {};
    this.#guests += 1;
    if (this.#place === "here") {
      // the terminal takes no text just now: the lines that it is being given stay
      if (this.#isWriting) area.forget();
      else this.#start(area.draw("", []), 0);
    }
    this.#place = "away";
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#guests -= 1;
      // with the next change: another child may start at once
      if (this.#guests === 0 && this.#area === area) this.#place = "returning";
    };
  }

  /** Ends the live lines: from now on text is written unchanged. May be repeated. */
  closeArea(how: { readonly keeps: boolean }): void {
    if (!this.#area) return;
    this.#ending = how;
    if (this.#place === "away") this.#place = "returning";
    if (!this.#isWriting) this.#writeNext();
  }

  /** Resolves when all text taken so far is written, or after `msMax`. */
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
    const isChanged = this.#lines !== undefined && this.#place !== "away";
    if (this.#waiting.length === 0 && !isChanged && !this.#ending) {
      this.#isWriting = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    // no write is under way: all that counts is what waits
    const length = this.#length;
    this.#start(this.#takeWaiting(), length);
  }

  #start(text: string, length: number): void {
    this.#isWriting = true;
    if (!this.#takesNow?.()) return this.#writeOut(Buffer.from(text), length);
    this.#writeNow(text);
    this.#onWritten(length);
  }

  #onWritten(length: number): void {
    this.#length -= length;
    this.#noteFlowing();
    this.#writeNext();
  }

  /** What waits, as it is to be written. */
  #takeWaiting(): string {
    const text = this.#waiting.splice(0).join("");
    const area = this.#area;
    if (!area || this.#place === "away") return text;
    const drawn = this.#draw(area, text);
    this.#lines = undefined;
    this.#place = "here";
    if (!this.#ending) return drawn;
    const last = area.end(this.#ending);
    this.#area = this.#ending = undefined;
    return drawn + last;
  }

  #draw(area: Area, text: string): string {
    if (this.#place === "returning") return area.below(text, this.#shown);
    return this.#lines === undefined ? area.say(text) : area.draw(text, this.#lines);
  }

  /** `length`: what it counts for among what waits. */
  #writeOut(bytes: Buffer, length: number): void {
    write(this.descriptor, bytes, (error, written) => {
      if (error?.code === "EAGAIN") {
        // the owner of the pipe has set it to non-blocking
        setTimeout(() => this.#writeOut(bytes, length), RETRY_MS);
      } else if (error) {
        this.#isGone = true; // nobody reads any more
        this.#waiting = [];
        this.#writeNext();
      } else if (written < bytes.length) {
        this.#writeOut(bytes.subarray(written), length);
      } else {
        this.#onWritten(length);
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

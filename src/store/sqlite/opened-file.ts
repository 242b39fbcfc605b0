// Compares the file that a connection has open with the file at its path now. A file that was deleted or replaced can
// still be written to: a reader of the path would never find what was acknowledged.
//
// The same applies to its log (`-wal`), which can be removed by accident. POSIX locks belong to a process, which loses
// all of them as soon as it closes the file once: a tool that copies the database does that. Then the next program that
// closes the database believes that it is the last one, and removes the log. Our later writes would be lost; and
// written back from our log into the file, they would destroy what others have written since.

import { readdirSync, readlinkSync, statSync } from "node:fs";

import { TaskonautError } from "../../core/errors.ts";

export class OpenedFile {
  readonly #device: number;
  readonly #inode: number;
  /** The identity of the log; undefined before it was seen. */
  #log: number | undefined;

  /** Call it right after the file at this absolute path was opened. */
  constructor(private readonly path: string) {
    const { dev, ino } = statSync(path);
    this.#device = dev;
    this.#inode = ino;
  }

  /** Throws `database_unavailable` if another file, another log, or none, is at the path. Costs some microseconds. */
  assertInPlace(): void {
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found?.ino === this.#inode && found.dev === this.#device) return this.#assertLogInPlace();
    const where = this.#whereNow();
    throw new TaskonautError(
      "database_unavailable",
      `The database ${this.path} cannot be used: ${found ? "another file stands in its place" : "the file is gone"}; the one that this process has open is ${where ?? "elsewhere"}. Put it back, or restart what uses it. What was under way may have been written to the old file.`,
      { details: { path: this.path, ...(where !== undefined && { opened: where }) } },
    );
  }

  /** Call it after a transaction: there is a log now, and while we have our locks nobody removes it. */
  noteLog(): void {
    this.#log ??= this.#findLog();
  }

  get hasLostLog(): boolean {
    return this.#log !== undefined && this.#findLog() !== this.#log;
  }

  #assertLogInPlace(): void {
    if (!this.hasLostLog) return;
    throw new TaskonautError(
      "database_unavailable",
      `The database ${this.path} cannot be used: its log ${this.path}-wal was taken away while this process had it open. That happens where a tool opens and closes the database file within this process; the command \`backup\` of taskonaut copies it without harm. Restart this process: what it wrote last may be lost.`,
      { details: { path: this.path } },
    );
  }

  #findLog(): number | undefined {
    return statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.ino;
  }

  /**
   * Where the file is now, according to the system (Linux): its new path, or its old one with the word that it was
   * deleted.
   */
  #whereNow(): string | undefined {
    try {
      for (const descriptor of readdirSync(DESCRIPTORS)) {
        const found = statSync(`${DESCRIPTORS}/${descriptor}`, { throwIfNoEntry: false });
        if (found?.ino !== this.#inode || found.dev !== this.#device) continue;
        return readlinkSync(`${DESCRIPTORS}/${descriptor}`);
      }
    } catch {
      // this system does not tell
    }
    return undefined;
  }
}

const DESCRIPTORS = "/proc/self/fd";

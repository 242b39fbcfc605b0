// The file that a connection has open, as against the one that stands at its path now. A file that was deleted or
// replaced can still be written to: whoever looks at the path would never find what was acknowledged.
//
// The same goes for its log (`-wal`), which can be taken away without anybody meaning it. The locks of POSIX belong to a
// process, which loses all of them as soon as it closes the file once: a tool that copies the database does that. The next
// program that closes the database takes itself for the last one, and removes the log. What we wrote then would be lost;
// and written back from our log into the file it would destroy what others have written since.

import { readdirSync, readlinkSync, statSync } from "node:fs";

import { TaskonautError } from "../../core/errors.ts";

export class OpenedFile {
  readonly #device: number;
  readonly #inode: number;
  /** Of the log; undefined before it was seen. */
  #log: number | undefined;

  /** Right after the file at this path, which is absolute, was opened. */
  constructor(private readonly path: string) {
    const { dev, ino } = statSync(path);
    this.#device = dev;
    this.#inode = ino;
  }

  /** Throws `database_unavailable` where another file, or another log, stands at the path, or none. Costs some microseconds. */
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

  /** After a transaction: there is a log now, and while we have our locks nobody removes it. */
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

  /** Where the file is by now, as the system tells it (Linux): its new path, or its old one with the word that it was deleted. */
  #whereNow(): string | undefined {
    try {
      for (const descriptor of readdirSync(DESCRIPTORS)) {
        const found = statSync(`${DESCRIPTORS}/${descriptor}`, { throwIfNoEntry: false });
        if (found?.ino !== this.#inode || found.dev !== this.#device) continue;
        return readlinkSync(`${DESCRIPTORS}/${descriptor}`);
      }
    } catch {
      // it cannot be told on this system
    }
    return undefined;
  }
}

const DESCRIPTORS = "/proc/self/fd";

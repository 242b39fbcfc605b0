// The file that a connection has open, as against the one that stands at its path now. A file that was deleted or
// replaced can still be written to: whoever looks at the path would never find what was acknowledged.

import { readdirSync, readlinkSync, statSync } from "node:fs";

import { TaskonautError } from "../../core/errors.ts";

export class OpenedFile {
  readonly #device: number;
  readonly #inode: number;

  /** Right after the file at this path, which is absolute, was opened. */
  constructor(private readonly path: string) {
    const { dev, ino } = statSync(path);
    this.#device = dev;
    this.#inode = ino;
  }

  /** Throws `database_unavailable` where another file stands at the path, or none. Costs about a microsecond. */
  assertInPlace(): void {
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found?.ino === this.#inode && found.dev === this.#device) return;
    const where = this.#whereNow();
    throw new TaskonautError(
      "database_unavailable",
      `The database ${this.path} cannot be used: ${found ? "another file stands in its place" : "the file is gone"}; the one that this process has open is ${where ?? "elsewhere"}. Put it back, or restart what uses it. What was under way may have been written to the old file.`,
      { details: { path: this.path, ...(where !== undefined && { opened: where }) } },
    );
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

// Who dies cannot put down of what. So while the event loop is held in one go for long, it is noted for what, and taken back
// when that is done: the process may be about to use up all memory, and peers that find it dead know whom to blame.

import type { DeathCause } from "../store/blame.ts";
import type { Seen } from "./shared-activity.ts";
import { Watchdog } from "./watchdog.ts";

/** What is over sooner is not noted: who dies in so short a time was hardly killed by that. */
const LONG_MS = 200;

/** So often it is looked. */
export const LOOK_MS = 50;

export class CauseNote {
  readonly #piece: Watchdog;
  /** Whose piece is noted, or is about to be. */
  #noted: number | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  /** `write` may fail: then it is tried again, as long as there is need. `now`: a monotonic time in milliseconds, as below. */
  constructor(
    private readonly write: (cause: DeathCause | null) => Promise<void>,
    now: number,
  ) {
    this.#piece = new Watchdog(LOOK_MS, now);
  }

  look(seen: Seen, now: number): void {
    const heldMs = this.#piece.look(seen.count, now);
    if (this.#isWriting) return;
    const isLong = seen.doing !== undefined && heldMs >= LONG_MS;
    if (isLong && this.#noted !== seen.count) {
      const { count, taskId, stepId } = seen;
      this.#put(count, { taskId, stepId, seconds: heldMs / 1000 });
    } else if (!isLong && this.#noted !== undefined) this.#put(undefined, null);
  }

  /** When it resolves nothing is noted, or the database is away. */
  async clear(): Promise<void> {
    await this.#writing;
    if (this.#noted !== undefined) this.#put(undefined, null);
    await this.#writing;
  }

  #put(noted: number | undefined, cause: DeathCause | null): void {
    this.#isWriting = true;
    this.#writing = this.#write(noted, cause);
  }

  async #write(noted: number | undefined, cause: DeathCause | null): Promise<void> {
    try {
      await this.write(cause);
      this.#noted = noted;
    } catch {
      // the next look tries again
    } finally {
      this.#isWriting = false;
    }
  }
}

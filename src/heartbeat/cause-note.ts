// A dead process cannot record what has killed it. So when one piece of code blocks the event loop for long, a note
// names it, and is removed when the piece ends. If the process dies meanwhile, for lack of memory perhaps, its peers
// know what to blame.

import type { DeathCause } from "../store/blame.ts";
import type { Seen } from "./shared-activity.ts";
import { Watchdog } from "./watchdog.ts";

/** A shorter piece is not noted: it was hardly the cause if the process died. */
const LONG_MS = 200;

/** How often it checks. */
export const LOOK_MS = 50;

export class CauseNote {
  readonly #piece: Watchdog;
  /** The piece that is noted, or is about to be. */
  #noted: number | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  /** `write` may fail: then it is repeated as long as needed. `now`: a monotonic time in milliseconds, as below. */
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
      this.#put(seen.count, { ...seen.culprit, seconds: heldMs / 1000 });
    } else if (!isLong && this.#noted !== undefined) this.#put(undefined, null);
  }

  /** When it resolves, nothing is noted, or the database cannot be reached. */
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
      // the next check tries again
    } finally {
      this.#isWriting = false;
    }
  }
}

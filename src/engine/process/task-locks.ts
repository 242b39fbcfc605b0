// Within a process the callers of one task queue in memory, first come, first served: the lock of `advance`.
// Between processes the task's version and lease do the same (DESIGN: commits, locks, leases).

import type { Clock } from "../../core/clock.ts";

export class TaskLocks {
  /** By task: those who wait, in order. A key is present while somebody has the turn. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(private readonly clock: Clock) {}

  /** Gives a function that ends the turn; undefined where somebody has it. */
  takeNow(key: string): (() => void) | undefined {
    if (this.#waiting.has(key)) return undefined;
    this.#waiting.set(key, NOBODY);
    return () => this.#pass(key);
  }

  /** Gives a function that ends the turn; undefined where the turn did not come within `deadlineMs`. */
  async take(key: string, deadlineMs: number): Promise<(() => void) | undefined> {
    let queue = this.#waiting.get(key);
    if (!queue) return this.takeNow(key);
    if (queue === NOBODY) this.#waiting.set(key, (queue = []));
    const turn = Promise.withResolvers<boolean>();
    const mine = (): void => turn.resolve(true);
    queue.push(mine);
    const stop = new AbortController();
    this.clock.sleep(deadlineMs, stop.signal).then(
      () => turn.resolve(false),
      () => {}, // the turn came first
    );
    const isMine = await turn.promise;
    stop.abort();
    if (isMine) return () => this.#pass(key);
    // the turn is there as long as somebody waits: so is the queue
    const place = queue.indexOf(mine);
    if (place >= 0) queue.splice(place, 1);
    else this.#pass(key); // it came in the very moment in which the wait ended
    return undefined;
  }

  /** Those of which somebody has the turn. */
  taken(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Whether others wait for their turn on this task. */
  isWanted(key: string): boolean {
    return (this.#waiting.get(key)?.length ?? 0) > 0;
  }

  #pass(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next) next();
    else this.#waiting.delete(key);
  }
}

/** Of a turn for which nobody waits: nearly all. It stays empty. */
const NOBODY: (() => void)[] = [];

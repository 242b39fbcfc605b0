// The pauses that this process knows, and so what it may start. `pause` returns when no process starts anything of its
// target any more (`pauses.ts`). That rests on two rules.
//
// KP1. No process starts anything based on knowledge older than KNOWN_MS, counted from the moment of the query, by a
//      monotonic clock. So an older pause is effective in every process: also in one that got no notification, that is
//      not a worker, or that has lost the database.
// KP2. After a worker has read the pauses, it writes in its row which ones it knows. The event loop does not turn
//      between the check of the pauses and the call of a tool. So whatever the worker was about to start has started by
//      then.

import type { Clock } from "../../core/clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { PauseRow, Store } from "../../store/store.ts";

/** KP1. */
export const KNOWN_MS = 2000;

/**
 * News comes often, and hardly any is about a pause: pauses that were read this short a time ago are not read again for
 * it.
 */
const NEWS_MS = 100;

/** If the database answers this often in a row only after KNOWN_MS, it is unusable. */
const READS_MAX = 5;

interface KnownPausesTools {
  readonly store: Pick<Store, "pauses" | "limits">;
  readonly clock: Clock;
  readonly log: Log;
  readonly workerId: string;
  /** Called with new pauses, to stop running work. */
  readonly onAbort: (pauses: readonly PauseRow[]) => void;
  /** The task waited for a pause that is over. */
  readonly onWoken: (taskId: string) => void;
}

export class KnownPauses {
  #pauses: readonly PauseRow[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** KP2: what the worker's row says, as far as this process knows. */
  #seen = "";
  #acknowledging: Promise<void> = Promise.resolve();

  constructor(private readonly tools: KnownPausesTools) {}

  /** KP1: whether current knowledge allows starting something. */
  get areKnown(): boolean {
    return this.tools.clock.elapsed() - this.#readAt < KNOWN_MS;
  }

  /**
   * The pause that keeps this flow from starting something; with `tool`: from calling that tool. Means nothing unless
   * `areKnown`.
   */
  find(flow: string, tool?: string): PauseRow | undefined {
    if (this.#pauses.length === 0) return undefined;
    return this.#pauses.find((pause) => holdsBack(pause, flow, tool));
  }

  /** For display: the last known pauses if the database does not answer. At once if they are known. */
  list(): readonly PauseRow[] | Promise<readonly PauseRow[]> {
    if (this.areKnown) return this.#pauses;
    const known = (): readonly PauseRow[] => this.#pauses;
    return this.read().then(known, known);
  }

  /** Reads until the pauses are known. Throws what the store throws. */
  async know(): Promise<void> {
    for (let reads = 0; !this.areKnown; reads++) {
      if (reads === READS_MAX) {
        throw new TaskonautError(
          "database_unavailable",
          `The database answers too slowly: it took longer than ${KNOWN_MS / 1000} s to say what is paused, ${READS_MAX} times in a row.`,
        );
      }
      await this.read();
    }
  }

  /** Reads the current pauses. Throws what the store throws. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Something may have changed: reads soon, unless it has just read. */
  readSoon(): void {
    this.#readOlderThan(NEWS_MS);
  }

  /** Something runs here, and the work after it should not have to wait for a read. */
  keep(): void {
    this.#readOlderThan(KNOWN_MS / 2);
  }

  /** The database has answered with the pauses; it was asked at `askedAt`, by the clock's `elapsed`. */
  note(pauses: readonly PauseRow[], askedAt: number): void {
    if (askedAt < this.#readAt) return;
    this.#readAt = askedAt;
    if (pauses.length === 0 && this.#pauses.length === 0) return;
    const before = this.#pauses;
    this.#pauses = pauses;
    const fresh = pauses.filter(({ id, aborts }) => aborts === 1 && !before.some((known) => known.id === id));
    if (fresh.length > 0) this.tools.onAbort(fresh);
    if (this.#isUnsaid) this.#acknowledge();
  }

  /** TK5 (`limit-store.ts`). False: the pause is over, and the step may start. Throws what the store throws. */
  async waitInLine(
    line: string,
    { taskId, stepId }: { readonly taskId: string; readonly stepId: string },
  ): Promise<boolean> {
    const { store, onWoken } = this.tools;
    // a ticket of an earlier pause does not count for this one: in such a line, asking again means waiting again
    const granting = await store.limits.take(line, [{ taskId, stepId, key: "", token: "" }]);
    for (const id of granting.woken) onWoken(id);
    if (!granting.granted.includes(stepId)) return true;
    await this.read();
    return false;
  }

  /** Resolves when nothing is being written. Never rejects. */
  async settle(): Promise<void> {
    await this.#reading?.catch(() => {});
    await this.#acknowledging;
  }

  #readOlderThan(ms: number): void {
    if (this.#reading || this.tools.clock.elapsed() - this.#readAt < ms) return;
    this.read().catch(() => {}); // whoever is about to start something reads again
  }

  async #read(): Promise<void> {
    const { store, clock, workerId } = this.tools;
    const askedAt = clock.elapsed();
    const { pauses, seen } = await store.pauses.read(workerId);
    // a worker without a row tells nobody
    this.#seen = seen ?? idsOf(pauses);
    this.note(pauses, askedAt);
  }

  get #isUnsaid(): boolean {
    return this.#pauses.some(({ id }) => !this.#seen.includes(id));
  }

  /** KP2. If it fails, the next read does it: whoever waits for it sends news again. */
  #acknowledge(): void {
    const { store, log, workerId } = this.tools;
    const seen = idsOf(this.#pauses);
    this.#seen = seen;
    this.#acknowledging = store.pauses.acknowledge(workerId, seen).catch((error: unknown) => {
      log.debug?.("pause not acknowledged", { worker_id: workerId, error: messageOf(error) });
    });
  }
}

/** Whether the pause keeps this flow from starting something; with `tool`: from calling that tool. */
export function holdsBack({ scope, name }: PauseRow, flow: string, tool?: string): boolean {
  switch (scope) {
    case "all":
      return true;
    case "flow":
      return name === flow;
    case "tool":
      return name === tool;
  }
}

function idsOf(pauses: readonly PauseRow[]): string {
  return pauses.map(({ id }) => id).join(" ");
}

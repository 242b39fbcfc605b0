// What a worker does for tasks that nobody looks after: those of workers that died, those whose owner has no row, and
// those that other code has parked.

import { messageOf } from "../../core/record/stored-error.ts";
import type { Flows } from "../task/flows.ts";
import type { Store } from "../../store/store.ts";
import { DEATH_WATCH_MS } from "../process/beat.ts";
import { hasPassed } from "../process/has-passed.ts";
import type { DriverTools } from "../task/driver-tools.ts";

/**
 * The lease to take, so that what a worker held that is cut off from the database is with others within `ms`: they look
 * for the dead only so often.
 */
export function leaseWithin(ms: number): number {
  return Math.ceil(Math.max(ms - 2 * DEATH_WATCH_MS, (2 / 3) * ms));
}

/** So often it is looked whether something of the rest is to be done. */
const LOOK_MS = 1000;

/** So often the rows of dead workers are cleared away, and what other code has parked is looked for. */
const TIDY_MS = 60_000;

/** So often tasks are looked for whose owner has no row: it was forgotten while it stood still, and died then. */
const ORPHANS_MS = 600_000;

export interface MaintenanceTools extends Pick<DriverTools, "clock" | "log"> {
  readonly flows: Pick<Flows, "all" | "codeOf">;
  readonly store: Pick<Store, "releaseOrphans" | "unparkTasks" | "forgetDeadWorkers">;
}

export class Maintenance {
  #deadOwners: readonly string[] = [];

  constructor(
    private readonly workerId: string,
    private readonly tools: MaintenanceTools,
    /** There may be tasks to claim that were none before. */
    private readonly onNews: () => void,
  ) {}

  /** Ids of workers whose tasks may be taken over. */
  get deadOwners(): readonly string[] {
    return this.#deadOwners;
  }

  /** Of all others who are. */
  noteDead(ids: readonly string[]): void {
    const isNew = ids.some((id) => !this.#deadOwners.includes(id));
    this.#deadOwners = ids;
    if (isNew) this.onNews();
  }

  /** When the worker starts. Throws what the store throws. */
  async begin(): Promise<void> {
    await this.#unpark();
    await this.tools.store.releaseOrphans();
  }

  /** Until `signal` aborts. Never rejects. */
  async goOn(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.tools;
    let [forgetAt, unparkAt, orphansAt] = [0, clock.now() + TIDY_MS, clock.now() + ORPHANS_MS];
    while (await hasPassed(LOOK_MS, signal, clock)) {
      try {
        if (this.#deadOwners.length > 0 && clock.now() >= forgetAt) {
          forgetAt = clock.now() + TIDY_MS;
          await store.forgetDeadWorkers();
        }
        if (clock.now() >= unparkAt) {
          unparkAt = clock.now() + TIDY_MS;
          await this.#unpark();
        }
        if (clock.now() >= orphansAt) {
          orphansAt = clock.now() + ORPHANS_MS;
          if ((await store.releaseOrphans()) > 0) this.onNews();
        }
      } catch (error) {
        log.debug?.("queue not tidied", { worker_id: this.workerId, error: messageOf(error) });
      }
    }
  }

  /** Also once in a while: beside this code other may be at work still, and park what it claims. */
  async #unpark(): Promise<void> {
    const { flows, store, log } = this.tools;
    const codes = flows.all().map(({ name }) => ({ name, code: flows.codeOf(name) }));
    const unparked = await store.unparkTasks(codes);
    if (unparked === 0) return;
    log.info?.("parked tasks taken up again", { tasks: unparked });
    this.onNews();
  }
}

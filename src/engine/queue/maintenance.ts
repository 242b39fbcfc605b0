// A worker's duty for abandoned tasks: those of dead workers, those whose owner has no row, and those that other code has
// parked.

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

/** So often it is looked whether a duty is to be done. */
const LOOK_MS = 1000;

/** So often the rows of dead workers are cleared away, and what other code has parked is looked for. */
const TIDY_MS = 60_000;

/** So often tasks are looked for whose owner has no row: it was forgotten while it stood still, and died then. */
const ORPHANS_MS = 600_000;

/** What a worker does once in a while, beside its tasks. */
export interface Duty {
  /** For the log. */
  readonly name: string;
  /** From one beginning to the next; a second or more. */
  readonly everyMs: number;
  /** The other duties do not wait for it. What it throws is logged, and it is tried again at its next time. */
  do(signal: AbortSignal): Promise<void>;
}

export interface MaintenanceTools extends Pick<DriverTools, "clock" | "log"> {
  readonly flows: Pick<Flows, "all" | "codeOf">;
  readonly store: Pick<Store, "releaseOrphans" | "unparkTasks" | "forgetDeadWorkers">;
  /** Besides those for tasks that nobody looks after. */
  readonly duties?: readonly Duty[];
}

export class Maintenance {
  #deadOwners: readonly string[] = [];
  #forgetAt = 0;

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
    const { clock, duties = [] } = this.tools;
    const due = [...this.#ownDuties(), ...duties].map((duty) => ({ duty, at: clock.now() + duty.everyMs }));
    const underWay = new Map<Duty, Promise<void>>();
    while (await hasPassed(LOOK_MS, signal, clock)) {
      for (const next of due) {
        const { duty } = next;
        if (clock.now() < next.at || underWay.has(duty)) continue;
        next.at = clock.now() + duty.everyMs;
        const done = this.#do(duty, signal).finally(() => underWay.delete(duty));
        underWay.set(duty, done);
      }
    }
    await Promise.all(underWay.values());
  }

  async #do(duty: Duty, signal: AbortSignal): Promise<void> {
    const { log } = this.tools;
    try {
      await duty.do(signal);
    } catch (error) {
      log.debug?.("duty not done", { worker_id: this.workerId, duty: duty.name, error: messageOf(error) });
    }
  }

  #ownDuties(): readonly Duty[] {
    const { clock, store } = this.tools;
    return [
      {
        name: "forget dead workers",
        everyMs: LOOK_MS,
        do: async () => {
          if (this.#deadOwners.length === 0 || clock.now() < this.#forgetAt) return;
          this.#forgetAt = clock.now() + TIDY_MS;
          await store.forgetDeadWorkers();
        },
      },
      { name: "unpark", everyMs: TIDY_MS, do: () => this.#unpark() },
      {
        name: "release orphans",
        everyMs: ORPHANS_MS,
        do: async () => {
          if ((await store.releaseOrphans()) > 0) this.onNews();
        },
      },
    ];
  }

  /** Also once in a while: beside this code other may be at work still, and park what it claims. */
  async #unpark(): Promise<void> {
    const { flows, store, log } = this.tools;
    const codes = flows.all().map(({ name }) => ({ name, code: flows.codeOf(name) }));
    const unparked = await store.unparkTasks(codes);
    if (unparked === 0) return;
    log.info?.("parked tasks resumed", { tasks: unparked });
    this.onNews();
  }
}

// A worker's duty for abandoned tasks: those of dead workers, those whose owner has no row, and those that other code
// has parked.

import { messageOf } from "../../core/record/stored-error.ts";
import type { Flows } from "../task/flows.ts";
import type { Store } from "../../store/store.ts";
import { DEATH_WATCH_MS } from "../process/beat.ts";
import { hasPassed } from "../process/has-passed.ts";
import type { DriverTools } from "../task/driver-tools.ts";

/**
 * The lease to take, so that others have the tasks of a cut-off worker within `ms`: they look for dead workers only now
 * and then.
 */
export function leaseWithin(ms: number): number {
  return Math.ceil(Math.max(ms - 2 * DEATH_WATCH_MS, (2 / 3) * ms));
}

/** How often to check whether a duty is due. */
const LOOK_MS = 1000;

/** How often to remove rows of dead workers, and to look for tasks that other code has parked. */
const TIDY_MS = 60_000;

/** How often to look for tasks whose owner has no row: its row was removed while it stood still, and then it died. */
const ORPHANS_MS = 600_000;

/** A periodic duty of a worker, besides its tasks. */
export interface Duty {
  /** For the log. */
  readonly name: string;
  /** From one start to the next; a second or more. */
  readonly everyMs: number;
  /** The other duties do not wait for it. An error is logged, and the duty runs again at its next time. */
  do(signal: AbortSignal): Promise<void>;
}

export interface MaintenanceTools extends Pick<DriverTools, "clock" | "log"> {
  readonly flows: Pick<Flows, "all" | "codeOf">;
  readonly store: Pick<Store, "releaseOrphans" | "unparkTasks" | "forgetDeadWorkers">;
  /** Duties besides those for abandoned tasks. */
  readonly duties?: readonly Duty[];
}

export class Maintenance {
  #deadOwners: readonly string[] = [];
  #forgetAt = 0;

  constructor(
    private readonly workerId: string,
    private readonly tools: MaintenanceTools,
    /** There may be new tasks to claim. */
    private readonly onNews: () => void,
  ) {}

  /** Ids of workers whose tasks may be taken over. */
  get deadOwners(): readonly string[] {
    return this.#deadOwners;
  }

  /** Ids of all other workers whose tasks may be taken over. */
  noteDead(ids: readonly string[]): void {
    const isNew = ids.some((id) => !this.#deadOwners.includes(id));
    this.#deadOwners = ids;
    if (isNew) this.onNews();
  }

  /** Runs when the worker starts. Throws what the store throws. */
  async begin(): Promise<void> {
    await this.#unpark();
    await this.tools.store.releaseOrphans();
  }

  /** Runs until `signal` aborts. Never rejects. */
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

  /** Also now and then: other code may still be running beside this one, and park the tasks that it claims. */
  async #unpark(): Promise<void> {
    const { flows, store, log } = this.tools;
    const codes = flows.all().map(({ name }) => ({ name, code: flows.codeOf(name) }));
    const unparked = await store.unparkTasks(codes);
    if (unparked === 0) return;
    log.info?.("parked tasks resumed", { tasks: unparked });
    this.onNews();
  }
}

// The callers in this process that wait for tasks to end.
//
// EN1. An end that is written here is reported at once. The ends of other processes are found by one query for all
//      awaited tasks, a few times a second, however many there are: so a waiting caller costs little.
// EN2. A caller that stops waiting leaves nothing behind. While nobody waits, nothing is queried.

import type { Clock } from "../../core/clock.ts";
import { type Glance, GLANCES_MAX, type Store } from "../../store/store.ts";
import type { Patience } from "./patience.ts";

/** The time between two queries: with a few tasks, and the longest. */
const LOOK_MS = 50;
const LOOK_MS_MAX = 250;
/** With this many tasks the time is the longest. */
const MANY = 1000;

/**
 * `ended`: it has ended or is gone. `due`: nobody holds it, and there is something to do for it. `over`: nobody waits
 * any more.
 */
export type Arrival = "ended" | "due" | "over";

interface Waiter {
  readonly alsoDue: boolean;
  tell(arrival: Arrival): void;
}

interface Tools {
  readonly store: Pick<Store, "glance">;
  readonly clock: Clock;
  readonly storeClock: { guess(): number };
}

export class Ends {
  readonly #waiters = new Map<string, Set<Waiter>>();
  #looking: AbortController | undefined;

  constructor(private readonly tools: Tools) {}

  /** The end of the task is durable. */
  tell(taskId: string): void {
    this.#tell(taskId, "ended");
  }

  /** Something has come for the task. */
  wake(taskId: string): void {
    this.#tell(taskId, "due");
  }

  /** The first event of the task; `due` only on request. Never rejects. */
  wait(taskId: string, patience: Patience, { alsoDue }: { readonly alsoDue: boolean }): Promise<Arrival> {
    const { promise, resolve } = Promise.withResolvers<Arrival>();
    if (patience.isOver) return Promise.resolve("over");
    const waiters = this.#waiters.get(taskId) ?? new Set();
    this.#waiters.set(taskId, waiters);
    const leave = patience.onOver(() => waiter.tell("over"));
    const waiter: Waiter = {
      alsoDue,
      tell: (arrival) => {
        leave();
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(taskId) === waiters) this.#waiters.delete(taskId);
        if (this.#waiters.size === 0) this.#looking?.abort();
        resolve(arrival);
      },
    };
    waiters.add(waiter);
    this.#look();
    return promise;
  }

  #tell(taskId: string, arrival: Arrival): void {
    const waiters = this.#waiters.get(taskId);
    if (!waiters) return;
    for (const waiter of Array.from(waiters)) if (arrival === "ended" || waiter.alsoDue) waiter.tell(arrival);
  }

  /** EN1, until nobody waits. */
  #look(): void {
    if (this.#looking && !this.#looking.signal.aborted) return;
    const stop = new AbortController();
    this.#looking = stop;
    const looks = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const share = Math.min(1, this.#waiters.size / MANY);
        await this.tools.clock.sleep(LOOK_MS + share * (LOOK_MS_MAX - LOOK_MS), stop.signal);
        await this.#lookAtAll();
      }
    };
    looks().catch(() => {}); // nobody waits any more
  }

  async #lookAtAll(): Promise<void> {
    const ids = Array.from(this.#waiters.keys());
    for (let from = 0; from < ids.length; from += GLANCES_MAX) {
      const some = ids.slice(from, from + GLANCES_MAX);
      let glances: readonly Glance[];
      try {
        glances = await this.tools.store.glance(some);
      } catch {
        return; // the database is away: callers that wait longer than that see the next result
      }
      const found = new Map(glances.map((glance) => [glance.id, glance]));
      for (const id of some) this.#tellOf(id, found.get(id));
    }
  }

  #tellOf(id: string, glance: Glance | undefined): void {
    if (!glance || glance.finished_at !== null) return this.#tell(id, "ended");
    const { due_at, lease_owner } = glance;
    if (due_at !== null && due_at <= this.tools.storeClock.guess() && lease_owner === null) this.#tell(id, "due");
  }
}

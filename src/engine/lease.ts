// This process as a worker: the row that owns the tasks whose tools run here. It is registered when the first such
// tool is about to run (a pure one needs no lease), renewed while the process lives, and removed when it leaves.

import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../store/store.ts";

/** Renewed this many times within a lease, so that one or two renewals may fail. */
const RENEWALS_PER_LEASE = 3;

export class Lease {
  #registration: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #renewal: Promise<void> = Promise.resolve();

  constructor(
    readonly workerId: string,
    private readonly name: string,
    private readonly leaseMs: number,
    private readonly store: Pick<Store, "registerWorker" | "renewWorker" | "removeWorker">,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** When it resolves, this process may own tasks. */
  hold(): Promise<void> {
    this.#registration ??= this.#register();
    return this.#registration;
  }

  async release(): Promise<void> {
    this.#stop.abort();
    await this.#registration?.catch(() => {}); // its caller hears of it
    if (!this.#registration) return;
    await this.#renewal;
    await this.store.removeWorker(this.workerId);
  }

  async #register(): Promise<void> {
    try {
      await this.store.registerWorker({ id: this.workerId, name: this.name, leaseMs: this.leaseMs });
    } catch (error) {
      this.#registration = undefined; // the next one tries again
      throw error;
    }
    this.#renewal = this.#renew();
  }

  async #renew(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.clock.sleep(this.leaseMs / RENEWALS_PER_LEASE, signal);
        const isThere = await this.store.renewWorker(this.workerId, this.leaseMs);
        if (!isThere) await this.store.registerWorker({ id: this.workerId, name: this.name, leaseMs: this.leaseMs });
      } catch (error) {
        if (signal.aborted) return;
        this.log.warn?.("worker lease not renewed", {
          worker_id: this.workerId,
          error: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }
}

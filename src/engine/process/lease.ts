// This process as a worker: the row that owns its tasks. The row is inserted before the process holds its first task (a
// pure tool that is run by hand needs no lease), renewed while the process lives, and removed when it ends.

import type { BeatingWorker, Heartbeat, StartHeartbeat } from "../../core/heartbeat.ts";
import type { Store } from "../../store/store.ts";

type Peers = Pick<BeatingWorker, "onNews" | "onDead">;

interface LeaseTools {
  readonly store: Pick<Store, "removeWorker">;
  /** For a caller's work: kept by the event loop. */
  readonly beatByHand: StartHeartbeat;
  /** For a worker that takes tasks from the queue. */
  readonly beatForQueue: StartHeartbeat;
}

export class Lease {
  #registration: Promise<"notified" | "polling"> | undefined;
  #heartbeat: Heartbeat | undefined;

  constructor(
    private readonly worker: Pick<BeatingWorker, "id" | "name" | "leaseMs" | "flows" | "codes">,
    private readonly tools: LeaseTools,
  ) {}

  get workerId(): string {
    return this.worker.id;
  }

  /** When it resolves, this process may own tasks. */
  async hold(): Promise<void> {
    this.#registration ??= this.#begin(this.tools.beatByHand, { ...NO_PEERS, concurrency: 0 });
    await this.#registration;
  }

  /**
   * The same, but others see how many tasks it takes at once, and it hears of news. Returns whether the database sends
   * news, or the worker has to look for it.
   */
  async work(concurrency: number, peers: Peers): Promise<"notified" | "polling"> {
    await this.stop();
    this.#registration = this.#begin(this.tools.beatForQueue, { ...peers, concurrency });
    return this.#registration;
  }

  /** Called if others removed this worker while it was away: it is registered again soon. */
  renewRegistration(): void {
    this.#heartbeat?.register();
  }

  get isHeld(): boolean {
    return this.#registration !== undefined;
  }

  /** Stops renewing. The row stays, so others can take its tasks when the lease has passed. */
  async stop(): Promise<void> {
    await this.#registration?.catch(() => {}); // its caller hears of it
    await this.#heartbeat?.stop();
    this.#heartbeat = undefined;
  }

  /** Removes the row: nothing is held any more. */
  async release(): Promise<void> {
    await this.stop();
    if (this.#registration) await this.tools.store.removeWorker(this.workerId);
  }

  async #begin(
    start: StartHeartbeat,
    how: Peers & Pick<BeatingWorker, "concurrency">,
  ): Promise<"notified" | "polling"> {
    const heartbeat = start({ ...this.worker, ...how });
    this.#heartbeat = heartbeat;
    try {
      return await heartbeat.started;
    } catch (error) {
      this.#registration = this.#heartbeat = undefined; // the next call tries again
      await heartbeat.stop();
      throw error;
    }
  }
}

const NO_PEERS: Peers = { onNews: () => {}, onDead: () => {} };

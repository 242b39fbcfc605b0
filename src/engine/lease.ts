// This process as a worker: the row that owns the tasks that it holds. It is registered when the first task is about to
// be held (a pure tool that is run by hand needs no lease), renewed while the process lives, and removed when it leaves.

import type { Clock } from "../core/clock.ts";
import type { Heartbeat, StartHeartbeat } from "../core/heartbeat.ts";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/stored-error.ts";
import type { Store } from "../store/store.ts";

/** Renewed this many times within a lease, so that one or two renewals may fail. */
const RENEWALS_PER_LEASE = 3;

export class Lease {
  #registration: Promise<void> | undefined;
  #concurrency = 0;
  #heartbeat: Heartbeat | undefined;

  constructor(
    readonly workerId: string,
    private readonly name: string,
    private readonly leaseMs: number,
    private readonly store: Pick<Store, "registerWorker" | "renewWorker" | "removeWorker">,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Of a worker that takes tasks from the queue; without it, and for all others, the event loop renews the lease. */
    private readonly startHeartbeat?: StartHeartbeat,
  ) {}

  /** When it resolves, this process may own tasks. */
  hold(): Promise<void> {
    this.#registration ??= this.#register();
    return this.#registration;
  }

  /** The same, and others see how many tasks it takes at once. */
  async work(concurrency: number): Promise<void> {
    await this.#registration?.catch(() => {}); // its caller hears of it
    const former = this.#heartbeat;
    this.#heartbeat = undefined;
    await former?.stop();
    this.#concurrency = concurrency;
    this.#registration = this.#register();
    await this.#registration;
  }

  /** Others have forgotten this worker while it was away: it is registered again. */
  async renewRegistration(): Promise<void> {
    if (this.#registration) await this.#write();
  }

  get isHeld(): boolean {
    return this.#registration !== undefined;
  }

  /** No more signs of life; the row stays, and tells the others that its tasks are theirs once the lease has passed. */
  async stop(): Promise<void> {
    await this.#registration?.catch(() => {}); // its caller hears of it
    await this.#heartbeat?.stop();
  }

  /** Removes the row: nothing is held any more. */
  async release(): Promise<void> {
    await this.stop();
    if (this.#registration) await this.store.removeWorker(this.workerId);
  }

  async #register(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      this.#registration = undefined; // the next one tries again
      throw error;
    }
    this.#heartbeat ??= this.#beat();
  }

  #write(): Promise<void> {
    const { workerId: id, name, leaseMs } = this;
    return this.store.registerWorker({ id, name, leaseMs, concurrency: this.#concurrency });
  }

  #beat(): Heartbeat {
    const { workerId: id, name, leaseMs } = this;
    if (this.#concurrency === 0 || !this.startHeartbeat) return this.#renew();
    return this.startHeartbeat({ id, name, leaseMs, onGone: () => this.#onGone() });
  }

  #onGone(): void {
    this.renewRegistration().catch((error: unknown) => this.#warn(error));
  }

  #renew(): Heartbeat {
    const end = new AbortController();
    const ended = this.#renewUntil(end.signal);
    return {
      stop() {
        end.abort();
        return ended;
      },
    };
  }

  async #renewUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.clock.sleep(this.leaseMs / RENEWALS_PER_LEASE, signal);
        const isThere = await this.store.renewWorker(this.workerId, this.leaseMs);
        if (!isThere) await this.#write();
      } catch (error) {
        if (signal.aborted) return;
        this.#warn(error);
      }
    }
  }

  #warn(error: unknown): void {
    this.log.warn?.("worker lease not renewed", { worker_id: this.workerId, error: messageOf(error) });
  }
}

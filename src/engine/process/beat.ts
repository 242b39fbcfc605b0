// The work of a heartbeat, wherever it runs: it registers a worker, renews its lease, listens for news, and looks for
// dead workers.

import type { Clock } from "../../core/clock.ts";
import type { BeatingWorker } from "../../core/heartbeat.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { SignOfLife, Watch } from "../../store/store.ts";
import { hasPassed } from "./has-passed.ts";
import { Pause } from "./pause.ts";

/** The messages of a heartbeat. All are plain data. */
export type BeatEvent =
  | { readonly kind: "news" }
  | { readonly kind: "dead"; readonly ids: readonly string[] }
  /** The worker's row was gone, and exists again. */
  | { readonly kind: "gone" }
  /** This many renewals in a row have failed, the last one with this message. */
  | { readonly kind: "failed"; readonly failures: number; readonly error: string }
  /** After reported failures: renewals succeed again. */
  | { readonly kind: "recovered"; readonly failures: number };

/** Renewed this many times within a lease, so that one or two renewals may fail. */
export const RENEWALS_PER_LEASE = 3;

/** Failures are retried sooner, so that a short problem does not cost a third of the lease. */
const RETRIES_PER_LEASE = 12;

/** How often lasting failures are reported. */
const TELL_AGAIN_MS = 60_000;

/** How often to look at peers: the tasks of a dead worker are to move on within a second. */
export const DEATH_WATCH_MS = 250;

interface BeatTools {
  readonly store: SignOfLife;
  readonly clock: Clock;
  readonly tell: (event: BeatEvent) => void;
}

export class Beat {
  readonly #stopped = new AbortController();
  #isRegistrationWanted = false;
  /** The time between two renewals. */
  readonly #pause: Pause;
  #watch: Watch | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly worker: Pick<BeatingWorker, "id" | "name" | "leaseMs" | "concurrency" | "flows" | "codes">,
    private readonly tools: BeatTools,
  ) {
    this.#pause = new Pause(tools.clock);
  }

  /** If it throws what the store throws, nothing continues. */
  async start(): Promise<Watch["kind"]> {
    const { store, tell } = this.tools;
    const isWatching = this.worker.concurrency > 0;
    await store.registerWorker(this.worker);
    if (isWatching) this.#watch = await store.watch(() => tell({ kind: "news" }));
    this.#loops = Promise.all([this.#renewOn(), isWatching && this.#lookOn()]);
    return this.#watch?.kind ?? "polling";
  }

  register(): void {
    this.#isRegistrationWanted = true;
    this.#pause.cut();
  }

  /** Resolves as soon as work in progress has ended. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#pause.cut();
    await this.#loops;
    await this.#watch?.close().catch(() => {}); // its connection is lost, so it hears nothing anyway
  }

  async #renewOn(): Promise<void> {
    const { clock, tell } = this.tools;
    const { leaseMs } = this.worker;
    let failures = 0;
    let toldAt = 0;
    for (;;) {
      await this.#pause.take(leaseMs / (failures === 0 ? RENEWALS_PER_LEASE : RETRIES_PER_LEASE));
      if (this.#stopped.signal.aborted) return;
      this.#pause.arm();
      try {
        const isThere = await this.#renew();
        if (failures > 0) tell({ kind: "recovered", failures });
        failures = 0;
        if (!isThere) tell({ kind: "gone" });
      } catch (error) {
        failures += 1;
        if (failures > 1 && clock.now() - toldAt < TELL_AGAIN_MS) continue;
        toldAt = clock.now();
        tell({ kind: "failed", failures, error: messageOf(error) });
      }
    }
  }

  /** False if the row was gone. */
  async #renew(): Promise<boolean> {
    const { store } = this.tools;
    const { id, leaseMs } = this.worker;
    if (!this.#isRegistrationWanted && (await store.renewWorker(id, leaseMs))) return true;
    this.#isRegistrationWanted = false;
    await store.registerWorker(this.worker);
    return false;
  }

  async #lookOn(): Promise<void> {
    const { store, clock, tell } = this.tools;
    let told: string | undefined;
    while (await hasPassed(DEATH_WATCH_MS, this.#stopped.signal, clock)) {
      try {
        const ids = (await store.findDeadWorkers()).filter((id) => id !== this.worker.id);
        const now = ids.toSorted().join();
        if (now === told) continue;
        told = now;
        tell({ kind: "dead", ids });
      } catch {
        // the database is away: the failed renewal is reported
      }
    }
  }
}

// Releases tasks that this process holds in the database without driving them, so that others may take them: after a
// failed write, whose result nobody knows, and all tasks when the process ends.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { Store } from "../../store/store.ts";
import type { QueueNotifier } from "./queue-notifier.ts";
import { isPassing } from "./retry-write.ts";
import type { Lease } from "./lease.ts";

/** The time between tries to release tasks after an outage. */
const AWAY: Backoff = { minMs: 100, maxMs: 5_000 };

/** An abandoned write reaches the database by then, or never. */
export const UNSURE_MS = 60_000;

interface HoldingsTools {
  readonly store: Pick<Store, "releaseTasks">;
  readonly lease: Lease;
  readonly notifier: QueueNotifier;
  readonly clock: Clock;
  readonly log: Log;
  /** Ids of tasks that callers of this process drive now. */
  readonly heldByHand: () => readonly string[];
  /** The process shuts down: everything is released soon. */
  readonly isLeaving: () => boolean;
}

export class Holdings {
  #isLettingGo = false;

  constructor(private readonly tools: HoldingsTools) {}

  /** A write has failed: tasks that are held and not driven are released as soon as the database answers again. */
  letGoSoon(): void {
    if (this.#isLettingGo || !this.tools.lease.isHeld) return;
    this.#letGo().catch(() => {}); // it never rejects
  }

  /**
   * The process shuts down: it releases everything and removes its worker row. Throws what the store throws, except for
   * temporary failures.
   */
  async letGoOfAll(): Promise<void> {
    const { store, lease, notifier, log } = this.tools;
    if (!lease.isHeld) return;
    try {
      const released = await store.releaseTasks({ workerId: lease.workerId, except: [] });
      if (released > 0) notifier.tellWorkers();
      await notifier.settle();
      await lease.release();
    } catch (error) {
      if (!isPassing(error)) throw error;
      // others see that this process is gone, and take its tasks
      log.warn?.("held tasks were not released", { worker_id: lease.workerId, error: messageOf(error) });
    }
  }

  async #letGo(): Promise<void> {
    const { store, lease, notifier, clock, heldByHand, isLeaving } = this.tools;
    this.#isLettingGo = true;
    const until = clock.now() + UNSURE_MS;
    for (let waitMs = nextWait(AWAY); !isLeaving() && clock.now() < until; waitMs = nextWait(AWAY, waitMs)) {
      await clock.sleep(waitMs);
      if (isLeaving()) break;
      try {
        if ((await store.releaseTasks({ workerId: lease.workerId, except: heldByHand() })) > 0) notifier.tellWorkers();
      } catch {
        // the database is still away
      }
    }
    this.#isLettingGo = false;
  }
}

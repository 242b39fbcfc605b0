// The worker of an engine: none until somebody starts it, and one at a time.

import type { Store } from "../store/store.ts";
import type { DrivingTools } from "./driving/driving-tools.ts";
import { DrivingForWorker } from "./driving/drive-for-worker.ts";
import type { LimitDesk } from "./process/limit-desk.ts";
import type { QueueNotifier } from "./process/queue-notifier.ts";
import { dutiesOf } from "./queue/duties.ts";
import { Expiring } from "./queue/expiring.ts";
import { limitsOf } from "./queue/limits-of.ts";
import { Scheduling } from "./queue/scheduling.ts";
import { Worker } from "./queue/worker.ts";
import type { RunningWorker, WorkOptions } from "./queue/worker-tools.ts";

interface EngineWorkerTools extends DrivingTools {
  readonly store: Store;
  readonly notifier: QueueNotifier;
  readonly limitDesk: LimitDesk;
}

export class EngineWorker {
  #worker: Worker | undefined;

  constructor(private readonly tools: EngineWorkerTools) {}

  /** It was started, whether or not it has stopped since. */
  get isThere(): boolean {
    return this.#worker !== undefined;
  }

  async start(options: WorkOptions): Promise<RunningWorker> {
    if (this.#worker && !this.#worker.isStopped) throw new Error("This engine has a worker already.");
    const { tools } = this;
    const worker = new Worker(
      {
        ...tools,
        driving: new DrivingForWorker(tools),
        heldByHand: () => tools.driven.heldIds(),
        duties: dutiesOf(tools),
        sidelines: [new Scheduling(tools), new Expiring(tools)],
      },
      options,
    );
    // set before it has started, so that closing the engine meanwhile stops it as well
    this.#worker = worker;
    try {
      await tools.store.limits.declare(limitsOf(tools.flows.all()));
      await worker.start();
    } catch (error) {
      this.#worker = undefined;
      throw error;
    }
    return worker;
  }

  /** False where there is none that looks into the queue. */
  lookAgain(): boolean {
    if (!this.#worker || this.#worker.isStopped) return false;
    this.#worker.lookAgain();
    return true;
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
  }
}

// The options, the tools and the interface of a worker.

import type { Limits } from "../../core/limits.ts";
import type { DrivingForWorker } from "../driving/drive-for-worker.ts";
import type { Lease } from "../process/lease.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import type { ClaimTools } from "./claims.ts";
import type { Duty, MaintenanceTools } from "./maintenance.ts";

export interface WorkOptions {
  /** How many tasks are driven at once: 1 or more. */
  readonly concurrency: number;
  /** Told of each task that has ended here, once that is durable. */
  readonly onEnded?: (taskId: string) => void;
}

export interface RunningWorker {
  readonly id: string;
  /** How many tasks it drives now. */
  readonly driven: number;
  /** Takes no more tasks, lets running tools end within the grace period, and releases the rest for others at once. */
  stop(): Promise<void>;
}

/** What a worker does all the time, beside its tasks. */
export interface Sideline {
  /** What of it is done once in a while. */
  readonly duty: Duty;
  /** When the worker starts. Throws what the store throws: then nothing has started. */
  begin(): Promise<void>;
  /** Until `signal` aborts. Never rejects. */
  goOn(signal: AbortSignal): Promise<void>;
  /** Others may have written what concerns it. */
  noteNews(): void;
}

export interface WorkerTools extends ClaimTools, MaintenanceTools {
  readonly lease: Pick<Lease, "workerId" | "work" | "renewRegistration">;
  readonly limits: Pick<Limits, "graceMs">;
  readonly driving: Pick<DrivingForWorker, "drive" | "setAside">;
  readonly store: ClaimTools["store"] & MaintenanceTools["store"];
  readonly notifier: Pick<QueueNotifier, "listen" | "tellWorkers" | "tellOthers">;
  readonly sidelines?: readonly Sideline[];
}

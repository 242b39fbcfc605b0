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
  /** Called with each task that has ended here, once its end is durable. */
  readonly onEnded?: (taskId: string) => void;
}

export interface RunningWorker {
  readonly id: string;
  /** How many tasks it drives now. */
  readonly driven: number;
  /** Takes no more tasks, lets running tools end within the grace period, and releases the rest for others at once. */
  stop(): Promise<void>;
}

/** The continuous duty of a worker, beside its tasks. */
export interface Sideline {
  /** Its periodic part. */
  readonly duty: Duty;
  /** Runs when the worker starts. If it throws what the store throws, nothing has started. */
  begin(): Promise<void>;
  /** Runs until `signal` aborts. Never rejects. */
  goOn(signal: AbortSignal): Promise<void>;
  /** Others may have written something that concerns it. */
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

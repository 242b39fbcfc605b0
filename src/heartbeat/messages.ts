// What the main thread and the thread of the heartbeat tell each other. All of it is plain data.

import type { ErrorCode } from "../core/errors.ts";
import type { BeatingWorker } from "../core/heartbeat.ts";
import type { BeatEvent } from "../engine/process/beat.ts";
import type { LogOptions } from "../log/create-log.ts";
import type { StoreAddress } from "../store/address.ts";
import type { ActivityMemory } from "./shared-activity.ts";

/** How the one line looks that the thread writes itself: as those of the log. */
export type LineStyle = Pick<LogOptions, "style" | "color">;

/** What the event loop of the main thread may do. */
export interface LoopLimits {
  /** How long it may be blocked; then the process is killed. */
  readonly stuckMs: number;
  /** How long one piece of a flow's own code may; more than it is cut short after, where it can be. */
  readonly flowStuckMs: number;
  /** One that is stuck for so long hears no signals: they end the process by themselves then. */
  readonly deafMs: number;
}

/** What the thread is started with. */
export interface ThreadData {
  /** Of the store, which the thread opens itself. */
  readonly address: StoreAddress;
  /** Undefined: the process has none, and the thread only watches. */
  readonly worker: Pick<BeatingWorker, "id" | "name" | "leaseMs" | "concurrency" | "flows" | "codes"> | undefined;
  readonly limits: LoopLimits;
  /** What the main thread does; undefined: nobody knows. */
  readonly activity: ActivityMemory | undefined;
  readonly line: LineStyle;
  /** One number, shared: raised whenever the event loop of the main thread turns. */
  readonly turns: Int32Array<SharedArrayBuffer>;
}

/** From the main thread. */
export type ToThread = "stop" | "register";

export type FromThread =
  | BeatEvent
  /** The worker is registered; whether news comes by itself. */
  | { readonly kind: "started"; readonly news: "notified" | "polling" }
  /** It could not be registered; the thread ends. */
  | { readonly kind: "refused"; readonly error: ThrownError };

/** An error as another thread can throw it again. */
export interface ThrownError {
  readonly message: string;
  /** Of one that the store has explained. */
  readonly code: ErrorCode | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** How often the main thread shows that it turns, and the other one looks. */
export function beatMs({ stuckMs, flowStuckMs, deafMs }: LoopLimits): number {
  return Math.min(1000, stuckMs / 4, flowStuckMs / 4, deafMs / 4);
}

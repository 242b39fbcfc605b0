// The messages between the main thread and the heartbeat's thread. All of them are plain data.

import type { ErrorCode } from "../core/errors.ts";
import type { BeatingWorker } from "../core/heartbeat.ts";
import type { BeatEvent } from "../engine/process/beat.ts";
import type { LogOptions } from "../log/create-log.ts";
import type { StoreAddress } from "../store/address.ts";
import type { ActivityMemory } from "./shared-activity.ts";

/** The style of the only line that the thread itself writes, the same as the log's. */
export type LineStyle = Pick<LogOptions, "style" | "color">;

/** Limits for the main thread's event loop. */
export interface LoopLimits {
  /** How long it may be blocked. After that the process is killed. */
  readonly stuckMs: number;
  /** How long one piece of a flow's own code may block it. A longer one is aborted, if possible. */
  readonly flowStuckMs: number;
  /** A loop that is stuck for this long receives no signals, so from then on signals end the process directly. */
  readonly deafMs: number;
  /** Whether a person may press Ctrl-C. */
  readonly isAtTerminal: boolean;
}

/** The data that the thread starts with. */
export interface ThreadData {
  /** The address of the store. The thread opens it itself. */
  readonly address: StoreAddress;
  /** Undefined: the process has no worker, and the thread only watches. */
  readonly worker: Pick<BeatingWorker, "id" | "name" | "leaseMs" | "concurrency" | "flows" | "codes"> | undefined;
  readonly limits: LoopLimits;
  /** What the main thread is doing. Undefined: it is not known. */
  readonly activity: ActivityMemory | undefined;
  readonly line: LineStyle;
  /** A shared number that grows whenever the event loop of the main thread turns. */
  readonly turns: Int32Array<SharedArrayBuffer>;
}

/** Messages from the main thread. */
export type ToThread = "stop" | "register";

export type FromThread =
  | BeatEvent
  /** The worker is registered. `news` says whether news is pushed or polled. */
  | { readonly kind: "started"; readonly news: "notified" | "polling" }
  /** The thread watches the event loop. */
  | { readonly kind: "watching" }
  /** The worker could not be registered, and the thread ends. */
  | { readonly kind: "refused"; readonly error: ThrownError };

/** An error in a form that another thread can throw again. */
export interface ThrownError {
  readonly message: string;
  /** For an error that the store has explained. */
  readonly code: ErrorCode | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** How often the main thread shows that it turns, and the other thread checks. */
export function beatMs({ stuckMs, flowStuckMs, deafMs, isAtTerminal }: LoopLimits): number {
  return Math.min(isAtTerminal ? AT_TERMINAL_MS : 1000, stuckMs / 4, flowStuckMs / 4, deafMs / 4);
}

/** A second press of Ctrl-C comes later than four of these. */
const AT_TERMINAL_MS = 20;

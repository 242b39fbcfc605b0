// What the main thread and the thread of the heartbeat tell each other. All of it is plain data.

import type { ErrorCode } from "../core/errors.ts";
import type { BeatEvent } from "../engine/beat.ts";

/** Where the tasks live, for a store that the thread opens itself. */
export type StorePlace =
  | { readonly dialect: "sqlite"; readonly path: string }
  | { readonly dialect: "postgres"; readonly url: string; readonly schema: string };

/** How the one line looks that the thread writes itself: as those of the log. */
export interface LineStyle {
  readonly style: "json" | "logster";
  readonly color: boolean;
}

/** What the thread is started with. */
export interface ThreadData {
  readonly place: StorePlace;
  readonly worker: {
    readonly id: string;
    readonly name: string;
    readonly leaseMs: number;
    readonly concurrency: number;
  };
  readonly stuckMs: number;
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
export function beatMs(stuckMs: number): number {
  return Math.min(1000, stuckMs / 4);
}

// What the main thread and the thread of the heartbeat tell each other. All of it is plain data.

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
  readonly workerId: string;
  readonly workerName: string;
  readonly leaseMs: number;
  readonly stuckMs: number;
  readonly line: LineStyle;
  /** One number, shared: raised whenever the event loop of the main thread turns. */
  readonly turns: Int32Array<SharedArrayBuffer>;
}

/** From the main thread; there is only this one. */
export type ToThread = "stop";

export type FromThread =
  /** The row of the worker is gone. */
  | { readonly kind: "gone" }
  /** So many renewals in a row have failed, the last one with this message. */
  | { readonly kind: "failed"; readonly failures: number; readonly error: string }
  /** After failures that were told: renewals succeed again. */
  | { readonly kind: "recovered"; readonly failures: number };

/** How often the main thread shows that it turns, and the other one looks. */
export function beatMs(stuckMs: number): number {
  return Math.min(1000, stuckMs / 4);
}

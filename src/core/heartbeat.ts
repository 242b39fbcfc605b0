// What the engine knows of the heartbeat: the sign of life of a worker whose event loop may be blocked by a tool.

export interface Heartbeat {
  /** When it resolves, no renewal is under way and none will come. Takes about a second at most, also where the database is away. */
  stop(): Promise<void>;
}

/** A worker that is registered. */
export interface BeatingWorker {
  readonly id: string;
  /** For people: host and process id. */
  readonly name: string;
  readonly leaseMs: number;
  /** The worker's row is gone: it must be registered again. Called at each renewal that finds it so. */
  readonly onGone: () => void;
}

/** Keeps the worker's lease from now on. Call it when the worker is registered, and `stop` before it is removed. */
export type StartHeartbeat = (worker: BeatingWorker) => Heartbeat;

// What the engine knows of the heartbeat: the sign of life of a worker, and its ears and eyes for the others. For a worker
// that takes tasks from the queue it is not the event loop's business, which a tool may block.

/** From when it is started, the worker is registered, and its lease renewed. */
export interface Heartbeat {
  /**
   * Resolves once the worker is registered: from then on it may hold tasks. Tells whether news comes by itself, or has to be
   * looked for. Rejects with what the store throws: then nothing beats.
   */
  readonly started: Promise<"notified" | "polling">;
  /** Others have forgotten the worker while it was away: it is registered again, soon. */
  register(): void;
  /** When it resolves, no renewal is under way and none will come. Takes about a second at most, also where the database is away. */
  stop(): Promise<void>;
}

export interface BeatingWorker {
  readonly id: string;
  /** For people: host and process id. */
  readonly name: string;
  readonly leaseMs: number;
  /** How many tasks it drives at once; 0: it takes none from the queue, and need not hear of others. */
  readonly concurrency: number;
  /** Names of the flows that it has, for others to see; unset: none. */
  readonly flows?: readonly string[];
  /** Of those from files, their code. */
  readonly codes?: Readonly<Record<string, string>>;
  /** Another process may have made a task due. */
  readonly onNews: () => void;
  /** Ids of all other workers that are dead, whenever they are others than before. */
  readonly onDead: (ids: readonly string[]) => void;
}

export type StartHeartbeat = (worker: BeatingWorker) => Heartbeat;

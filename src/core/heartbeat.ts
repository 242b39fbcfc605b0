// The heartbeat as the engine sees it: it shows that a worker is alive, and watches the other workers. For a worker that
// takes tasks from the queue it does not run on the event loop, because a tool may block that.

/** As soon as it is started, it registers the worker and renews its lease. */
export interface Heartbeat {
  /**
   * Resolves when the worker is registered: from then on it may hold tasks. Says whether news arrives by itself or needs
   * polling. Rejects with the error of the store: then there is no heartbeat.
   */
  readonly started: Promise<"notified" | "polling">;
  /** Called if others have removed the worker while it was away: soon it is registered again. */
  register(): void;
  /** Resolves when no renewal is under way and none will follow. Takes at most about a second, even without the database. */
  stop(): Promise<void>;
}

export interface BeatingWorker {
  readonly id: string;
  /** For people: host and process id. */
  readonly name: string;
  readonly leaseMs: number;
  /** How many tasks it drives at once. 0: it takes none from the queue, and needs no news of others. */
  readonly concurrency: number;
  /** Names of the flows that it has, for others to see; unset: none. */
  readonly flows?: readonly string[];
  /** Of those from files, their code. */
  readonly codes?: Readonly<Record<string, string>>;
  /** Another process may have made a task due. */
  readonly onNews: () => void;
  /** The ids of all dead workers, each time they change. */
  readonly onDead: (ids: readonly string[]) => void;
}

export type StartHeartbeat = (worker: BeatingWorker) => Heartbeat;

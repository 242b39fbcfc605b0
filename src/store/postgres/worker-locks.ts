// The locks by which others see that a worker lives: per worker a session advisory lock, on a connection that is used
// for nothing else. The server frees it when the connection ends, and so when the process does, however it ends.
//
// L1. A lock whose connection was lost is taken anew, quietly, until it is freed. Meanwhile others may take the worker
//     for dead; the fence (S1 in `store.ts`) makes that harmless.

import { setTimeout as sleep } from "node:timers/promises";

import { TaskonautError } from "../../core/errors.ts";
import { PostgresClient } from "./connection.ts";

/** The key of worker $1's lock, as an SQL expression. Worker ids are unique, so all schemas share the numbers. */
export const LOCK_KEY = "hashtextextended('taskonaut:worker:' || $1, 0)";

const LOCK = `select pg_try_advisory_lock(${LOCK_KEY}) as taken`;

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

interface LockOptions {
  readonly url: string;
  readonly deadlineMs: number;
}

export class WorkerLocks {
  readonly #held = new Map<string, WorkerLock>();

  constructor(private readonly options: LockOptions) {}

  /** Takes the lock of a worker of this process. Throws `database_unavailable`, also where another session has it. */
  async take(id: string): Promise<void> {
    if (this.#held.has(id)) return;
    const lock = new WorkerLock(id, this.options);
    this.#held.set(id, lock);
    try {
      await lock.take();
    } catch (error) {
      await this.free(id);
      throw error;
    }
  }

  async free(id: string): Promise<void> {
    const lock = this.#held.get(id);
    this.#held.delete(id);
    await lock?.free();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((id) => this.free(id)));
  }
}

class WorkerLock {
  readonly #client: PostgresClient;
  readonly #freed = new AbortController();
  /** Settles when the lock that was lost is held again, or freed. */
  #retaking: Promise<void> = Promise.resolve();

  constructor(
    private readonly id: string,
    options: LockOptions,
  ) {
    const onLost = (): void => {
      this.#retaking = this.#retake();
    };
    this.#client = new PostgresClient({ ...options, connectionsMax: 1, onLost });
  }

  async take(): Promise<void> {
    const [row] = await this.#client.query<{ taken: boolean }>(LOCK, [this.id]);
    if (row?.taken) return;
    throw new TaskonautError("database_unavailable", `Another session holds the lock of worker ${this.id}. Try again.`);
  }

  async free(): Promise<void> {
    this.#freed.abort();
    await this.#client.close();
    await this.#retaking;
  }

  /** L1. */
  async #retake(): Promise<void> {
    const { signal } = this.#freed;
    for (let pauseMs = PAUSE_MS_MIN; !signal.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      try {
        return await this.take();
      } catch {
        // The server is still away, or has not noticed yet that the old connection is gone.
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }
}

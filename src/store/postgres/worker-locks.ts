// The locks by which others see that a worker lives: per worker a session advisory lock, on a connection that is used
// for nothing else. The server frees it when the connection ends, and so when the process does, however it ends.
//
// A lock whose connection was lost is taken anew. Meanwhile others may take the worker for dead; the fence (S1 in
// `store.ts`) makes that harmless.

import { TaskonautError } from "../../core/errors.ts";
import type { PostgresClient } from "./connection.ts";
import { type LastingOptions, LastingSession } from "./lasting-session.ts";

/** The key of a worker's lock, of its id as SQL. Worker ids are unique, so all schemas share the numbers. */
export function lockKey(id: string): string {
  return `hashtextextended('taskonaut:worker:' || ${id}, 0)`;
}

const LOCK = `select pg_try_advisory_lock(${lockKey("$1")}) as taken`;

export class WorkerLocks {
  readonly #sessions = new Map<string, LastingSession>();
  /** Workers that go without a lock: see `take`. */
  readonly #without = new Set<string>();

  constructor(private readonly options: LastingOptions) {}

  /**
   * Takes the lock of a worker of this process. False where locks do not last here, because a pooler hands each
   * statement to another backend: then none is taken. Throws `database_unavailable`, also where another session has it.
   */
  async take(id: string, other: PostgresClient): Promise<boolean> {
    if (this.#sessions.has(id)) return true;
    if (this.#without.has(id)) return false;
    const session = new LastingSession(this.options, { setUp: (client) => lock(client, id) });
    this.#sessions.set(id, session);
    try {
      if (await session.isOwn(other)) {
        await session.start();
        return true;
      }
    } catch (error) {
      await this.free(id);
      throw error;
    }
    await this.free(id);
    this.#without.add(id);
    return false;
  }

  async free(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    this.#without.delete(id);
    await session?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.free(id)));
  }
}

async function lock(client: PostgresClient, id: string): Promise<void> {
  const [row] = await client.query<{ taken: boolean }>(LOCK, [id]);
  if (row?.taken) return;
  throw new TaskonautError("database_unavailable", `Another session holds the lock of worker ${id}. Try again.`);
}

// Turns at tasks that several processes drive by hand. A process that has lost a write to another waits here, in the
// database and in the order of arrival, instead of reading and losing again and again.
//
// PT1. A turn is an advisory lock of an open transaction: it ends with that, or with its connection. It orders callers
//      and decides nothing: versions do, also against callers that have not lost yet and take no turn.
// PT2. A turn is short: it is given up after a moment, whatever happens to its task, and the server ends it if its
//      process stands still.
// PT3. Nobody waits for long, nor behind the turn at another task: a caller without a turn may lose, and that is all.

import type { Turn } from "../store.ts";
import { type ClientOptions, PostgresClient } from "./connection.ts";
import { quoteText, type Schema } from "./schema.ts";

/** PT2. */
const TURN_MS = 250;
const STANDSTILL_MS = 2000;

/** PT3. */
const WAIT_MS_MAX = 5000;

export class Turns {
  readonly #client: PostgresClient;
  readonly #waitMs: number;
  /** PT3. A caller waits, or has its turn. */
  #isTaken = false;

  constructor(
    options: Pick<ClientOptions, "url" | "deadlineMs" | "idleMs">,
    private readonly schema: Schema,
  ) {
    this.#client = new PostgresClient({ ...options, connectionsMax: 1 });
    this.#waitMs = Math.min(WAIT_MS_MAX, options.deadlineMs / 2);
  }

  /** Undefined: no turn is available. Never rejects. */
  async take(taskId: string): Promise<Turn | undefined> {
    if (this.#isTaken) return undefined; // PT3
    this.#isTaken = true;
    try {
      await this.#client.execute(`
        begin;
        set local lock_timeout = ${Math.ceil(this.#waitMs)};
        set local idle_in_transaction_session_timeout = ${STANDSTILL_MS};
        select pg_advisory_xact_lock(${this.#keyOf(taskId)})`);
    } catch {
      await this.#giveUp();
      return undefined;
    }
    return new TakenTurn(() => {
      this.#giveUp().catch(() => {}); // it never rejects
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #giveUp(): Promise<void> {
    try {
      await this.#client.execute("rollback");
    } catch {
      // the connection is gone, and the turn with it
    } finally {
      this.#isTaken = false;
    }
  }

  /**
   * Another number than the lock of a write (`tasks.ts`): callers without a turn do not wait behind those who wait for
   * one.
   */
  #keyOf(taskId: string): string {
    return `hashtextextended(${quoteText(`taskonaut:turn:${this.schema}:${taskId}`)}, 0)`;
  }
}

class TakenTurn implements Turn {
  isOver = false;
  readonly #timer = setTimeout(() => this.end(), TURN_MS);

  constructor(private readonly giveUp: () => void) {
    this.#timer.unref();
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    this.giveUp();
  }
}

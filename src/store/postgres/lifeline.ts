// One connection for everything by which a worker and its peers know of each other: the session locks that show that it
// lives, the renewals of its lease, its look at the others, and the channel on which it hears news.
//
// The locks are advisory and shared: if we have lost a connection that the server still keeps, it does not stop us from
// taking the lock again. A renewal comes with the lock: so peers that saw the lock fall see that the worker lives.

import type { DeathCause } from "../blame.ts";
import { Processes } from "../processes.ts";
import type { SignOfLife, Store, Watch } from "../store.ts";
import type { NewWorker } from "../worker-store.ts";
import { blameDead } from "./blame.ts";
import { PostgresClient } from "./connection.ts";
import { DeathWatch } from "./death-watch.ts";
import { type LastingOptions, LastingSession } from "./lasting-session.ts";
import { quoteSchema, type Schema } from "./schema.ts";
import { channelOf } from "./watch.ts";
import {
  comeBack,
  endLeases,
  findSuspects,
  insertWorker,
  lockKey,
  noteCause,
  renewWorker,
  type WorkerLease,
} from "./workers.ts";

/** A lock that is free for less than this proves nothing, however near the server is (PD3 in `death-watch.ts`). */
const GRACE_MS_MIN = 400;

/** The first connection took this long; the one after a loss may take some times that. */
const GRACE_PER_CONNECT = 4;

export interface LifelineOptions extends LastingOptions {
  /** The schema that holds all tables. */
  readonly schema: string;
}

/** For a thread that does nothing else. Connects with the first request. */
export function openPostgresLifeline({
  schema,
  ...options
}: LifelineOptions): SignOfLife & Pick<Store, "noteCause" | "close"> {
  const line = new Lifeline(options, quoteSchema(schema));
  return {
    registerWorker: (worker) => line.register(worker),
    noteCause: (id, cause) => line.noteCause(id, cause),
    renewWorker: (id, leaseMs) => line.renew({ id, leaseMs }),
    findDeadWorkers: () => line.findDead(),
    watch: (onNews) => line.watch(onNews),
    close: () => line.close(),
  };
}

/** What depends on the connection, and how reliable it is. */
interface Connected {
  readonly session: LastingSession;
  /** PL3 in `lasting-session.ts`. */
  readonly isOwn: boolean;
  /** PD3 in `death-watch.ts`. */
  readonly graceMs: number | null;
}

export class Lifeline {
  readonly #processes = new Processes();
  readonly #deaths = new DeathWatch();
  /** Workers of this process. */
  readonly #workers = new Map<string, WorkerLease>();
  readonly #watchers = new Set<() => void>();
  #session: LastingSession | undefined;
  #connecting: Promise<Connected> | undefined;

  /**
   * Connects on first use. `other` sends the notification that shows whether the connection is our own; without it, a
   * connection is made for that.
   */
  constructor(
    private readonly options: LastingOptions,
    private readonly schema: Schema,
    private readonly other?: PostgresClient,
  ) {}

  /** Writes the worker's row, and takes its lock if locks last. Throws as `Store.registerWorker`. */
  async register(worker: NewWorker): Promise<void> {
    const { session, isOwn, graceMs } = await this.#connect();
    const query = session.query.bind(session);
    // The lock first: whoever sees the row has to find it.
    if (isOwn && !this.#workers.has(worker.id)) await query(LOCK, [worker.id]);
    this.#workers.set(worker.id, worker);
    await insertWorker(query, this.schema, { ...worker, process: this.#processes.own, graceMs });
  }

  renew(lease: WorkerLease): Promise<boolean> {
    const session = this.#open();
    return renewWorker(session.query.bind(session), this.schema, lease);
  }

  /** See `Store.noteCause`. */
  noteCause(id: string, cause: DeathCause | null): Promise<void> {
    const session = this.#open();
    return noteCause(session.query.bind(session), this.schema, id, cause);
  }

  /** Frees the lock of a worker. Harmless if it has none. */
  async release(id: string): Promise<void> {
    if (!this.#workers.delete(id) || !this.#session) return;
    // If the connection was not lost after all, the lock was taken again and is held several times.
    for (;;) {
      const [row] = await this.#session.query<{ was: boolean }>(UNLOCK, [id]);
      if (!row?.was) return;
    }
  }

  /**
   * Ids of the dead workers. Ends the leases of workers that died before their leases were over, and records the cause
   * of death, if it is noted.
   */
  async findDead(): Promise<string[]> {
    const session = this.#open();
    const query = session.query.bind(session);
    const { passed, suspects, causes, backend } = await findSuspects(
      session.read.bind(session),
      this.schema,
      this.#processes,
    );
    const dead = this.#deaths.look(suspects, {
      passed,
      session: `${session.losses} ${backend}`,
      now: performance.now(),
    });
    const ended = dead.length === 0 ? [] : await endLeases(query, this.schema, dead);
    const all = [...passed, ...ended];
    for (const id of all) {
      const cause = causes.get(id);
      if (cause !== undefined) await blameDead(query, this.schema, { id, cause });
    }
    return all;
  }

  /** See `Store.watch`. */
  async watch(onNews: () => void): Promise<Watch> {
    const { session, isOwn } = await this.#connect();
    if (!isOwn) return { kind: "polling", close: async () => {} };
    this.#watchers.add(onNews);
    await session.query(`listen ${channelOf(this.schema)}`);
    onNews();
    return {
      kind: "notified",
      close: async () => {
        if (this.#watchers.delete(onNews) && this.#watchers.size === 0) await this.#stopListening();
      },
    };
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  async #stopListening(): Promise<void> {
    await this.#session?.query(`unlisten ${channelOf(this.schema)}`).catch(() => {}); // lost: it does not listen
  }

  #open(): LastingSession {
    this.#session ??= new LastingSession(this.options, {
      setUp: (client) => this.#setUp(client),
      onNotify: () => this.#tell(),
    });
    return this.#session;
  }

  #connect(): Promise<Connected> {
    this.#connecting ??= this.#examine().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async #examine(): Promise<Connected> {
    const session = this.#open();
    const startedAt = performance.now();
    const [row] = await session.query<{ port: number | null }>("select inet_client_port() as port");
    const tookMs = performance.now() - startedAt;
    const other = this.other ?? new PostgresClient({ ...this.options, connectionsMax: 1 });
    try {
      const isOwn = await session.isOwn(other);
      // A proxy between here and the server may close one of them.
      const isDirect = isOwn && (row?.port ?? undefined) === session.localPort;
      return {
        session,
        isOwn,
        graceMs: isDirect ? Math.ceil(Math.max(GRACE_MS_MIN, GRACE_PER_CONNECT * tookMs)) : null,
      };
    } finally {
      if (other !== this.other) await other.close();
    }
  }

  /** Restores on the new connection what depended on the lost one. */
  async #setUp(client: PostgresClient): Promise<void> {
    const query = client.query.bind(client);
    const { isOwn } = (await this.#connecting?.catch(() => undefined)) ?? { isOwn: false };
    for (const worker of this.#workers.values()) await comeBack(query, this.schema, { ...worker, locks: isOwn });
    if (isOwn && this.#watchers.size > 0) await query(`listen ${channelOf(this.schema)}`);
    this.#tell();
  }

  #tell(): void {
    for (const onNews of this.#watchers) onNews();
  }
}

/** Nobody takes it exclusively, so nobody waits. */
const LOCK = `select pg_advisory_lock_shared(${lockKey("$1")})`;
const UNLOCK = `select pg_advisory_unlock_shared(${lockKey("$1")}) as was`;

// A connection that lasts as long as the process needs the things that depend on it: locks, and channels that it
// listens to.
//
// PL1. If it was lost, it is opened again, quietly, until it is closed.
// PL2. A dead connection looks like a quiet one: so it is queried now and then, and thrown away if no answer comes.
// PL3. A pooler may pass each statement to another backend; then locks and channels do not work. A notification reaches
//      an idle connection only if it has its own backend: that is tested before the first use.

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

import { type Backoff, nextWait } from "../../core/backoff.ts";
import { hasCode } from "../../core/errors.ts";
import { type Parameter, PostgresClient } from "./connection.ts";
import { isConnectionLost } from "./failures.ts";

/** While nothing answers. */
const AWAY: Backoff = { minMs: 50, maxMs: 1_000 };

/** While connections open and are cut: peers watch for a lock that does not come back. */
const CUT: Backoff = { minMs: 50, maxMs: 200 };

/** How long the notification of PL3 may take after it was sent. */
const TRIAL_MS = 1_000;

const PROBE_MS = 20_000;

export interface LastingOptions {
  readonly url: string;
  readonly deadlineMs: number;
  /** How often to check whether the connection is alive. Default 20 s. */
  readonly probeMs?: number;
}

interface Use {
  /** Restores locks and channels on a new connection. */
  readonly setUp: (client: PostgresClient) => Promise<void>;
  readonly onNotify: (channel: string) => void;
}

export class LastingSession {
  readonly #client: PostgresClient;
  readonly #closed = new AbortController();
  readonly #probe: Timer;
  /** Settles when the connection is open again, or is closed. */
  #restoring: Promise<void> | undefined;
  /** How often the connection was lost. */
  #losses = 0;
  #trial: { readonly channel: string; readonly pass: () => void } | undefined;

  constructor(
    private readonly options: LastingOptions,
    private readonly use: Use,
  ) {
    this.#client = new PostgresClient({
      url: options.url,
      deadlineMs: options.deadlineMs,
      connectionsMax: 1,
      onLost: () => this.#restore(),
      onNotify: (channel) => {
        if (channel === this.#trial?.channel) this.#trial.pass();
        else use.onNotify(channel);
      },
    });
    this.#probe = setInterval(() => this.#ask(), options.probeMs ?? PROBE_MS);
    this.#probe.unref();
  }

  /** A new number for each connection. */
  get losses(): number {
    return this.#losses;
  }

  /** Runs a statement on the connection. Throws what `PostgresClient.query` does. */
  async query<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    try {
      return await this.#client.query<Row>(text, parameters);
    } catch (error) {
      if (hasCode(error, "database_unavailable")) this.#restore();
      throw error;
    }
  }

  /** The same for reads: if the connection was lost during the statement, it runs once more on the next one. */
  async read<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    try {
      return await this.query<Row>(text, parameters);
    } catch (error) {
      if (!isLost(error)) throw error;
      await Promise.race([this.#restoring, sleep(this.options.deadlineMs, undefined, { ref: false })]);
      return this.query<Row>(text, parameters);
    }
  }

  /** The port of our end of the connection; undefined for a Unix socket, or without a connection. */
  get localPort(): number | undefined {
    return this.#client.localPorts[0];
  }

  /** PL3. False if locks and channels do not work on the connection. Sends the notification over `other`. */
  async isOwn(other: PostgresClient): Promise<boolean> {
    const channel = `taskonaut_${crypto.randomUUID().replaceAll("-", "")}`;
    const timeout = new AbortController();
    const arrived = new Promise<boolean>((resolve) => {
      this.#trial = { channel, pass: () => resolve(true) };
    });
    try {
      await this.#client.query(`listen ${channel}`);
      await other.query("select pg_notify($1, '')", [channel]);
      // Read what came while the process was busy before the test counts as failed.
      const late = sleep(TRIAL_MS, undefined, { signal: timeout.signal }).then(
        () => nextTurn(false),
        () => false,
      );
      return await Promise.race([arrived, late]);
    } finally {
      timeout.abort();
      this.#trial = undefined;
      await this.#client.query(`unlisten ${channel}`);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    clearInterval(this.#probe);
    await this.#client.close();
    await this.#restoring;
  }

  /** PL1. */
  #restore(): void {
    if (this.#restoring || this.#closed.signal.aborted) return;
    this.#losses += 1;
    this.#restoring = this.#setUpAgain().finally(() => {
      this.#restoring = undefined;
    });
  }

  async #setUpAgain(): Promise<void> {
    const { signal } = this.#closed;
    for (let waitMs = 0; !signal.aborted;) {
      try {
        return await this.use.setUp(this.#client);
      } catch (error) {
        waitMs = nextWait(isLost(error) ? CUT : AWAY, waitMs);
        await sleep(waitMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** PL2. */
  #ask(): void {
    if (!this.#restoring) this.query("select 1").catch(() => {}); // the query itself handles what follows
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Error && isConnectionLost(error.cause);
}

// A connection that is used for one thing only, and is there for as long as the process needs what hangs on it: a lock,
// or a channel that it listens to.
//
// L1. Where it was lost it is made anew, quietly, until it is closed.
// L2. A connection that leads nowhere looks like one on which nothing happens: so it is asked something every now and
//     then, and thrown away where no answer comes.
// L3. A pooler may hand each statement to another backend; then nothing hangs on the connection. A notification reaches
//     an idle connection only where the backend behind it is its own: that is tried before the first use.

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

import { PostgresClient } from "./connection.ts";

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

/** How long the notification of L3 may take, once it was sent. */
const TRIAL_MS = 1_000;

const PROBE_MS = 20_000;

export interface LastingOptions {
  readonly url: string;
  readonly deadlineMs: number;
  /** How often it is looked whether the connection still leads somewhere. Default 20 s. */
  readonly probeMs?: number;
}

interface Use {
  /** Makes on a new connection what is to hang on it. */
  readonly setUp: (client: PostgresClient) => Promise<void>;
  readonly onNotify?: (channel: string) => void;
}

export class LastingSession {
  readonly #client: PostgresClient;
  readonly #closed = new AbortController();
  readonly #probe: Timer;
  /** Settles when the connection stands again, or is closed. */
  #restoring: Promise<void> | undefined;
  #trial: { readonly channel: string; readonly pass: () => void } | undefined;

  constructor(
    { probeMs = PROBE_MS, ...options }: LastingOptions,
    private readonly use: Use,
  ) {
    this.#client = new PostgresClient({
      ...options,
      connectionsMax: 1,
      onLost: () => this.#restore(),
      onNotify: (channel) => {
        if (channel === this.#trial?.channel) this.#trial.pass();
        else use.onNotify?.(channel);
      },
    });
    this.#probe = setInterval(() => this.#ask(), probeMs);
    this.#probe.unref();
  }

  /** L3. False where nothing can hang on the connection. Sends the notification over `other`. */
  async isOwn(other: PostgresClient): Promise<boolean> {
    const channel = `taskonaut_${crypto.randomUUID().replaceAll("-", "")}`;
    const timeout = new AbortController();
    const arrived = new Promise<boolean>((resolve) => {
      this.#trial = { channel, pass: () => resolve(true) };
    });
    try {
      await this.#client.query(`listen ${channel}`);
      await other.query("select pg_notify($1, '')", [channel]);
      // What came while the process was busy is read before the trial counts as failed.
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

  async start(): Promise<void> {
    await this.use.setUp(this.#client);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    clearInterval(this.#probe);
    await this.#client.close();
    await this.#restoring;
  }

  /** L1. */
  #restore(): void {
    this.#restoring ??= this.#setUpAgain().finally(() => {
      this.#restoring = undefined;
    });
  }

  async #setUpAgain(): Promise<void> {
    const { signal } = this.#closed;
    for (let pauseMs = PAUSE_MS_MIN; !signal.aborted; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      try {
        return await this.use.setUp(this.#client);
      } catch {
        // The server is still away, or has not noticed yet that the old connection is gone.
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** L2. */
  #ask(): void {
    if (this.#restoring) return;
    this.#client.query("select 1").catch(() => this.#restore());
  }
}

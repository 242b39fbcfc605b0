// A client of one PostgreSQL database, over postgres.js.
//
// PC1. Every statement is a plain one on a plain client, and commits by itself. Transactions and reserved connections
//      of postgres.js hang forever, or share a connection, after a backend was killed (its issues 823, 1186, 1195,
//      1208).
// PC2. Every call ends within the deadline.
// PC3. After an error of the connection, and after a call that exceeded its deadline, the whole client is thrown away
//      with its sockets, and the next call makes a new one: a connection of postgres.js that died with output pending
//      does not recover, and a dead one would swallow the next calls as well.
// PC4. Nothing connects before the first call, and unused connections are closed after a while: a server has only a few
//      connections for everybody. This is not left to postgres.js, whose connection may close just as a call comes.

import postgres from "postgres";

import { TaskonautError } from "../../core/errors.ts";
import { type TellWait, WONDERS_MS } from "../../core/waiting.ts";
import { isA } from "../../core/record/stored-error.ts";
import { displayServer } from "../address.ts";
import {
  codeOf,
  DeadlineError,
  DiscardedError,
  explainFailure,
  isConnectionLost,
  isDeclined,
  leavesConnectionUsable,
  refusedParameter,
  serverNotWanted,
} from "./failures.ts";
import { Route } from "./route.ts";
import { quoteText } from "./schema.ts";
import { parseServerUrl, type ServerAddress, type ServerUrl } from "./server-url.ts";
import { Sockets, type Target } from "./socket.ts";

export type Parameter = string | number | boolean | null;

/** A statement with a constant text, which names the type of each parameter (`$1::uuid`). */
export interface Query {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

export interface ClientOptions {
  readonly url: string;
  /** The most connections; calls that come while all are busy are pipelined. */
  readonly connectionsMax: number;
  /** The deadline of each call, including connecting. */
  readonly deadlineMs: number;
  /**
   * Let the server abort a statement as well: after this long a wait for a lock, and at the deadline, so that no
   * backend keeps waiting for a caller that has left.
   */
  readonly lockMs?: number;
  /** Called if an answer takes long. */
  readonly tellWait?: TellWait | undefined;
  /** The text in place of its location, and why it may take long. */
  readonly waitsFor?: string;
  /** PC4. */
  readonly idleMs?: number;
  /** Keep a connection as long as it lasts, and tell when it is gone. */
  readonly onLost?: () => void;
  /** Receives notifications on channels that a statement listens to. */
  readonly onNotify?: (channel: string, payload: string) => void;
}

type Start = (sql: postgres.Sql) => PromiseLike<postgres.Row[]>;

interface Session {
  readonly sql: postgres.Sql;
  readonly sockets: Sockets;
  /** Names of the statements that `queryAfter` has prepared there. */
  readonly prepared: Set<string>;
  /** Rejects a call in progress. */
  readonly underWay: Set<(error: Error) => void>;
}

export class PostgresClient {
  readonly location: string;
  readonly #server: ServerUrl;
  readonly #route: Route;
  #session: Session | undefined;
  #closed = false;
  /** Settings that a pooler did not know: the connection does without them. */
  readonly #refused = new Set<string>();
  #calls = 0;
  /** When the last call ended, monotonic. */
  #usedAt = 0;

  constructor(private readonly options: ClientOptions) {
    this.location = displayServer(options.url);
    this.#server = parseServerUrl(options.url);
    const { addresses, connectMs } = this.#server;
    this.#route = new Route(addresses, { connectMs, deadlineMs: options.deadlineMs });
  }

  /**
   * Runs one statement with a constant text; it is prepared once for each connection. Throws `database_unavailable`,
   * `database_behind`, and `internal` if the server refuses the statement.
   */
  async query<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.#query(text, parameters, { tries: 1 });
  }

  /** The same for reads: if the connection died during the statement, it runs once more. */
  async read<Row>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.#query(text, parameters, { tries: 2 });
  }

  /** Runs several statements without parameters in one transaction; returns the rows of the last one. */
  async execute<Row>(script: string): Promise<Row[]> {
    const results = await this.#run((sql) => sql.unsafe(script).simple(), { tries: 1 });
    const rows = results.findLast((result) => Array.isArray(result)) ?? results;
    return Array.from(rows as readonly Row[]);
  }

  /**
   * Runs a statement after a script without parameters, both in one transaction: the statement sees what others had
   * committed by the end of the script. The driver prepares a statement only if it is alone in its message, so it is
   * prepared by SQL.
   */
  async queryAfter<Row>(script: string, { text, parameters }: Query): Promise<Row[]> {
    const name = nameOf(text);
    const values = parameters.map((value) => (value === null ? "null" : quoteText(String(value))));
    const run = `${script};\nexecute ${name} (${values.join(", ")})`;
    for (let triesLeft = PREPARE_TRIES_MAX; ; triesLeft--) {
      const isPrepared = this.#session?.prepared.has(name) === true;
      try {
        const rows = await this.execute<Row>(isPrepared ? run : `prepare ${name} as ${text};\n${run}`);
        this.#session?.prepared.add(name);
        return rows;
      } catch (error) {
        // a pooler passes statements to other sessions than before; and a prepared statement remains if the rest has
        // failed
        const code = isA(error, TaskonautError) ? codeOf(error.cause) : "";
        if (triesLeft === 1 || (code !== NOT_PREPARED && code !== PREPARED_ALREADY)) throw error;
        if (code === NOT_PREPARED) this.#session?.prepared.delete(name);
        else this.#session?.prepared.add(name);
      }
    }
  }

  /** The ports of our ends of the open connections; without Unix sockets. */
  get localPorts(): readonly number[] {
    return this.#session?.sockets.localPorts ?? [];
  }

  /** Gives calls in progress a moment to end; then cuts the connections. Harmless when repeated. */
  async close(): Promise<void> {
    this.#closed = true;
    const session = this.#session;
    this.#session = undefined;
    if (session) await end(session, CLOSE_SECONDS);
  }

  async #query<Row>(text: string, parameters: readonly Parameter[], how: { readonly tries: number }): Promise<Row[]> {
    const rows = await this.#run((sql) => sql.unsafe(text, [...parameters], { prepare: true }), how);
    // A plain array: the driver's array carries the statement and the connection along.
    return Array.from(rows) as Row[];
  }

  async #run(start: Start, { tries }: { readonly tries: number }): Promise<postgres.Row[]> {
    const giveUpAt = performance.now() + this.options.deadlineMs;
    let triesLeft = tries;
    let refusals = Object.keys(settingsOf(this.options)).length;
    for (;;) {
      try {
        const trying = this.#try(start, giveUpAt);
        return await (this.options.tellWait ? tellingWait(trying, () => this.#tellWait()) : trying);
      } catch (error) {
        // PgBouncer names one setting at a time; with `ignore_startup_parameters` it accepts them, and passes none on.
        const refused = refusedParameter(error);
        if (refused !== undefined && refusals > 0) {
          this.#refused.add(refused);
          refusals -= 1;
          continue;
        }
        triesLeft -= 1;
        if (triesLeft > 0 && isConnectionLost(error)) continue;
        const { wanted } = this.#server;
        if (wanted !== undefined && isDeclined(error) && this.#route.isUnserved)
          throw serverNotWanted(this.location, wanted, error);
        throw explainFailure(error, this.location);
      }
    }
  }

  #tellWait(): void {
    const { tellWait, waitsFor, deadlineMs } = this.options;
    tellWait?.(waitsFor ?? `an answer of the database ${this.location} (at most ${deadlineMs / 1000} s)`);
  }

  async #try(start: Start, giveUpAt: number): Promise<postgres.Row[]> {
    const session = this.#open();
    this.#calls += 1;
    try {
      const rows = await this.#withinDeadline(session, start, giveUpAt);
      session.sockets.noteServed();
      return rows;
    } catch (error) {
      if (!leavesConnectionUsable(error)) this.#discard(session, error);
      throw error;
    } finally {
      this.#calls -= 1;
      this.#usedAt = performance.now();
    }
  }

  #open(): Session {
    if (this.#closed) throw new TaskonautError("shutting_down", `The store ${this.location} is closed.`);
    if (this.#session) return this.#session;
    const sockets = new Sockets(this.#route, this.#server.tls);
    const session: Session = {
      sockets,
      prepared: new Set(),
      underWay: new Set(),
      sql: connectClient(this.#server, this.options, sockets, {
        onclose: () => this.#lost(session),
        settings: Object.fromEntries(
          Object.entries(settingsOf(this.options)).filter(([name]) => !this.#refused.has(name)),
        ),
      }),
    };
    this.#session = session;
    if (this.options.idleMs !== undefined) this.#closeWhenIdle(session, this.options.idleMs);
    return session;
  }

  /** PC4. No call is in progress then: none can be lost. */
  #closeWhenIdle(session: Session, idleMs: number): void {
    const timer = setTimeout(() => {
      if (this.#session !== session) return;
      if (this.#calls > 0 || performance.now() - this.#usedAt < idleMs) return this.#closeWhenIdle(session, idleMs);
      this.#session = undefined;
      end(session, CLOSE_SECONDS).catch(() => {});
    }, idleMs / 2);
    timer.unref();
  }

  #lost(session: Session): void {
    if (!this.options.onLost || this.#session !== session) return;
    this.#discard(session);
    this.options.onLost();
  }

  /** PC3. Calls in progress on it reject as well: postgres.js forgets calls that wait for a connection (PC2). */
  #discard(session: Session, why?: unknown): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    session.sockets.destroy();
    end(session, 0).catch(() => {});
    // the other calls did not take too long
    const error = why instanceof Error && !(why instanceof DeadlineError) ? why : new DiscardedError();
    for (const reject of session.underWay) reject(error);
  }

  /** PC2. */
  async #withinDeadline({ sql, underWay }: Session, start: Start, giveUpAt: number): Promise<postgres.Row[]> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const left = Math.max(0, giveUpAt - performance.now());
    const timer = setTimeout(() => reject(new DeadlineError(this.options.deadlineMs)), left);
    underWay.add(reject);
    try {
      return await Promise.race([start(sql), givenUp]);
    } finally {
      underWay.delete(reject);
      clearTimeout(timer);
    }
  }
}

/** Calls `tell` unless the work has ended by then. */
async function tellingWait<Result>(work: Promise<Result>, tell: () => void): Promise<Result> {
  const timer = setTimeout(tell, WONDERS_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

const CLOSE_SECONDS = 2;

const NOT_PREPARED = "26000";
const PREPARED_ALREADY = "42P05";

/** More may be needed with an unlucky pooler. */
const PREPARE_TRIES_MAX = 5;

/** The same name for everybody who prepares the same text. */
function nameOf(text: string): string {
  return `taskonaut_${new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/**
 * Ends the connections, and cuts the ones that have not ended by then: `end` alone waits forever for a query that
 * failed (1130).
 */
async function end({ sql, sockets }: Session, seconds: number): Promise<void> {
  await sql.end({ timeout: seconds });
  sockets.destroy();
}

/** Settings of every session, from its start; settings of the URL come first. */
function settingsOf({ lockMs, deadlineMs }: ClientOptions): Readonly<Record<string, number | string>> {
  const timeouts =
    lockMs === undefined ? {} : { lock_timeout: lockMs, statement_timeout: deadlineMs + STATEMENT_MS_MORE };
  // Each statement looks up a few rows, by an index, in its order: none is worth compiling, and no table is worth
  // reading whole, whatever the statistics say when the plan is made. If a pooler does not pass this on, low estimates
  // do much the same (PQ5 in `claim.ts`).
  return { jit: "off", enable_seqscan: "off", enable_bitmapscan: "off", ...timeouts };
}

/** The caller's own deadline, which says more, comes first. */
const STATEMENT_MS_MORE = 100;

function connectClient(
  { url, addresses, login, connectMs }: ServerUrl,
  { connectionsMax, deadlineMs, onLost, onNotify }: ClientOptions,
  sockets: Sockets,
  { onclose, settings }: { readonly onclose: () => void; readonly settings: Readonly<Record<string, number | string>> },
): postgres.Sql {
  // postgres.js accepts these options, but its types do not have them.
  const untyped: object = {
    onnotify: onNotify,
    ...(addresses.length > 1 ? inTurn(addresses, sockets) : { ...addresses[0], socket: sockets.connect.bind(sockets) }),
  };
  const options = {
    ...login,
    ssl: false, // `sockets` does it
    max: connectionsMax,
    // For one address only; with several, each has its own time (`route.ts`).
    connect_timeout: (addresses.length > 1 ? deadlineMs : (connectMs ?? deadlineMs)) / 1000,
    // Otherwise it reads the catalog of types on every connection.
    fetch_types: false,
    // Otherwise it prints them on stdout.
    onnotice: () => {},
    onclose,
    connection: { application_name: "taskonaut", ...settings },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    ...(onLost && { max_lifetime: null, idle_timeout: 0 }),
    ...untyped,
  };
  return withoutVariables(() => postgres(url, options));
}

/**
 * postgres.js reads other variables than libpq, in its own way. The URL already contains libpq's variables
 * (`libpq-variables.ts`).
 */
function withoutVariables<Result>(make: () => Result): Result {
  const { env } = process;
  const hidden = Object.entries(env).filter(([name]) => name.startsWith("PG"));
  for (const [name] of hidden) delete env[name];
  try {
    return make();
  } finally {
    for (const [name, value] of hidden) env[name] = value;
  }
}

/**
 * `sockets` tries several hosts one after the other: postgres.js itself would try forever if all refuse. With
 * `target_session_attrs=prefer-standby` it declines a primary while there are hosts left: after each had its turn,
 * there are none.
 */
function inTurn(addresses: readonly ServerAddress[], sockets: Sockets): object {
  const hosts = addresses.map(({ host }) => host);
  let connects = 0;
  return {
    host: hosts,
    port: addresses.map(({ port }) => port),
    socket: async (target: Target) => {
      connects += 1;
      if (connects > addresses.length) hosts.length = 0;
      try {
        return await sockets.connect(target);
      } catch (error) {
        hosts.length = 0; // all had their turn; while there are hosts, it waits for the next one and tells nobody
        throw error;
      }
    },
  };
}

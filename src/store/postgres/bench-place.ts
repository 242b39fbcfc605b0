// A schema of its own to measure in, in the database that the user has named.

import type { StoreAddress } from "../address.ts";
import type { BenchPlace, BytesWritten, Baseline } from "../baseline.ts";
import type { Store } from "../store.ts";
import { TABLES, TASK_STEPS, TASKS, TOOL_CALLS, WORKERS } from "../tables.ts";
import { PostgresClient } from "./connection.ts";
import { createBaseline, BASELINE_SESSION } from "./baseline.ts";
import { openPostgresMigrator } from "./migrate.ts";
import { quoteSchema, type Schema } from "./schema.ts";
import { openPostgresStore } from "./store.ts";

const DEADLINE_MS = 60_000;
const SETTINGS = ["server_version", "fsync", "synchronous_commit", "full_page_writes"];

/** Throws `database_unavailable`; the user of the URL needs the right to create a schema. */
export async function openPostgresBenchPlace({ url }: { readonly url: string }): Promise<BenchPlace> {
  const name = `taskonaut_bench_${crypto.randomUUID().slice(0, 8)}`;
  const place = new PostgresBenchPlace(url, name);
  try {
    await place.prepare();
    return place;
  } catch (error) {
    await place.remove().catch(() => {}); // the first error is the one to report
    throw error;
  }
}

class PostgresBenchPlace implements BenchPlace {
  readonly address: StoreAddress;
  readonly location: string;
  readonly baseline: Baseline;
  readonly #schema: Schema;
  readonly #writer: PostgresClient;
  /** For everything that is not measured. */
  readonly #aside: PostgresClient;
  #removing: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private readonly name: string,
  ) {
    const client = { url, connectionsMax: 1, deadlineMs: DEADLINE_MS };
    this.#writer = new PostgresClient(client);
    this.#aside = new PostgresClient(client);
    this.#schema = quoteSchema(name);
    this.address = { dialect: "postgres", url, schema: name };
    this.baseline = createBaseline(this.#writer, this.#schema);
    this.location = `${this.#aside.location}, schema ${name}`;
  }

  async prepare(): Promise<void> {
    const migrator = openPostgresMigrator({ url: this.url, schema: this.name });
    try {
      await migrator.migrate();
    } finally {
      await migrator.close();
    }
    await this.#aside.execute(`create table ${this.#schema}.bench_commits (
      id bigint generated always as identity primary key, at timestamptz)`);
    await this.#writer.execute(BASELINE_SESSION);
  }

  async readDurability(): Promise<Readonly<Record<string, string>>> {
    const text = "select name, setting from pg_settings where name = any ($1::text[])";
    const rows = await this.#aside.query<{ name: string; setting: string }>(text, [`{${SETTINGS.join(",")}}`]);
    const values = new Map(rows.map(({ name, setting }) => [name, setting]));
    return Object.fromEntries(SETTINGS.map((name) => [name, values.get(name) ?? "unknown"]));
  }

  async openStore(onCommit?: () => void): Promise<Store> {
    const store = await openPostgresStore({ url: this.url, schema: this.name });
    return onCommit ? telling(store, onCommit) : store;
  }

  async commitOnce(): Promise<void> {
    await this.#writer.query(`insert into ${this.#schema}.bench_commits (at) values (now())`);
  }

  async countEnded(): Promise<number> {
    const text = `select count(*) as ended from ${this.#schema}.tasks where status = 'COMPLETED'`;
    const [row] = await this.#aside.query<{ ended: number }>(text);
    return row?.ended ?? 0;
  }

  async analyze(): Promise<void> {
    await this.#aside.execute(`analyze ${TABLES.map(({ name }) => `${this.#schema}.${name}`).join(", ")}`);
  }

  /** The log belongs to the whole server: other writers there are counted as well. */
  async countBytes(): Promise<() => Promise<BytesWritten>> {
    const before = await this.#readBytes();
    return async () => {
      const after = await this.#readBytes();
      return { log: after.log - before.log, data: after.data - before.data };
    };
  }

  async clear(): Promise<void> {
    const names = [TASKS, TASK_STEPS, TOOL_CALLS, WORKERS].map(({ name }) => `${this.#schema}.${name}`);
    await this.#aside.execute(`truncate ${names.join(", ")} cascade`);
  }

  remove(): Promise<void> {
    this.#removing ??= this.#remove();
    return this.#removing;
  }

  async #remove(): Promise<void> {
    await this.#writer.close();
    try {
      await this.#aside.execute(`drop schema if exists ${this.#schema} cascade`);
    } finally {
      await this.#aside.close();
    }
  }

  async #readBytes(): Promise<BytesWritten> {
    const [row] = await this.#aside.query<BytesWritten>(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as log, sum(pg_total_relation_size(oid))::float8 as data
       from pg_class where relnamespace = $1::regnamespace and relkind = 'r'`,
      [this.name],
    );
    if (!row) throw new Error("The server told no sizes.");
    return row;
  }
}

/** Each write of tasks is one statement, and so one commit; an empty claim has written nothing. */
function telling(store: Store, onCommit: () => void): Store {
  const told = <In extends unknown[], Out>(write: (...input: In) => Promise<Out>) => {
    return async (...input: In): Promise<Out> => {
      const result = await write(...input);
      onCommit();
      return result;
    };
  };
  return {
    ...store,
    insertTasks: told((records) => store.insertTasks(records)),
    commitChanges: told((changes) => store.commitChanges(changes)),
    postToTask: told((post) => store.postToTask(post)),
    async claimTasks(request) {
      const claim = await store.claimTasks(request);
      if (claim.tasks.length > 0) onCommit();
      return claim;
    },
  };
}

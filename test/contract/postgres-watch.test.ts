// What hangs on one connection of PostgreSQL (a channel that is listened to, a worker's lock), and what becomes of it
// when the connection dies, leads nowhere, or is not one's own (a pooler between).

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import postgres from "postgres";

import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { Lifeline } from "../../src/store/postgres/lifeline.ts";
import { quoteSchema } from "../../src/store/postgres/schema.ts";
import { announce } from "../../src/store/postgres/watch.ts";
import type { Store } from "../../src/store/store.ts";
import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { openStore } from "../../src/store/open.ts";
import { migrate, type Place, postgresPlace } from "./place.ts";
import { startProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

let database: TestDatabase;
/** Stands for a backend that is not one's own: a notification that is sent there does not come here. */
let elsewhere: TestDatabase;
let admin: postgres.Sql;
let place: Place;
let store: Store;

beforeAll(async () => {
  database = await testDatabase();
  elsewhere = await testDatabase();
  admin = postgres(database.url, { max: 1, onnotice: () => {} });
}, 120_000);

afterAll(async () => {
  await admin.end();
  await Promise.all([database.drop(), elsewhere.drop()]);
});

beforeEach(async () => {
  place = await postgresPlace(database.url);
  await migrate(place.address);
  store = await openStore(place.address);
});

afterEach(async () => {
  await store.close();
  await place.drop();
});

/** Counts news; `more` resolves when some have come since the last count. */
class News {
  count = 0;
  readonly hear = (): void => {
    this.count += 1;
  };

  async more(): Promise<void> {
    const before = this.count;
    await until(async () => this.count > before);
  }

  /** Announces until it is heard: what is sent while nobody listens is lost, and may be. */
  async passes(): Promise<void> {
    const before = this.count;
    await until(async () => {
      await store.announce();
      return this.count > before;
    });
  }
}

test("a watch outlives its backend, and says that it may have missed something", async () => {
  const news = new News();
  const watching = await store.watch(news.hear);
  for (let round = 0; round < 3; round++) {
    const more = news.more();
    const ended = await admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'taskonaut' and datname = current_database() and query like 'listen%'`;
    expect(ended.length).toBe(1);
    // Nobody has announced anything.
    await more;
    await news.passes();
  }
  await watching.close();
  await until(async () => (await listeners()) === 0);
});

test("announcing outlives its backend", async () => {
  const news = new News();
  const watching = await store.watch(news.hear);
  await store.announce();
  await admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'taskonaut' and datname = current_database() and query like '%pg_notify%'`;
  await news.passes();
  await watching.close();
});

test("a watch on a connection that leads nowhere finds out, and connects anew", async () => {
  using proxy = await startProxy(database.url);
  const other = new PostgresClient({ url: database.url, connectionsMax: 1, deadlineMs: 5000 });
  const news = new News();
  const line = new Lifeline({ url: proxy.url, deadlineMs: 1000, probeMs: 50 }, schemaOf(place), other);
  const watching = await line.watch(news.hear);
  expect(watching.kind).toBe("notified");
  proxy.swallow();
  const more = news.more();
  // The old connection stays as it is, and only looks alive.
  proxy.pass();
  await more;
  await news.passes();
  await line.close();
  await other.close();
});

test("a schema hears only of its own tasks", async () => {
  const schema = quoteSchema("another_schema");
  const other = new PostgresClient({ url: database.url, connectionsMax: 1, deadlineMs: 5000 });
  const [own, foreign] = [new News(), new News()];
  const line = new Lifeline({ url: database.url, deadlineMs: 5000 }, schema, other);
  await store.watch(own.hear);
  await line.watch(foreign.hear);
  const before = foreign.count;
  await own.passes();
  expect(foreign.count).toBe(before);
  const heard = foreign.more();
  await announce(other, schema);
  await heard;
  await line.close();
  await other.close();
});

test("where notifications do not arrive, a watcher is told to look for itself", async () => {
  await using pooled = behindPooler();
  const watching = await pooled.line.watch(() => {});
  expect(watching.kind).toBe("polling");
  await watching.close();
  expect(await listeners()).toBe(0);
});

test("where locks do not last, a worker goes without, and nothing is read from that", async () => {
  const id = crypto.randomUUID();
  await using pooled = behindPooler();
  await pooled.line.register({ id, name: "w", leaseMs: HOUR_MS, concurrency: 1 });
  await place.execute("update workers set process = 'elsewhere'");
  const held = admin`
    select from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`;
  expect(await held).toHaveLength(0);
  expect(await admin.unsafe(`select from ${schemaOf(place)}.workers where grace_ms is not null`)).toHaveLength(0);
  expect(await store.readWorkerState(id)).toBe("alive");
  expect(await store.findDeadWorkers()).toEqual([]);
  expect(await store.listWorkers()).toMatchObject([{ id, state: "alive" }]);
  await place.execute("update workers set lease_until = now()");
  expect(await store.readWorkerState(id)).toBe("dead");
  expect(await store.findDeadWorkers()).toEqual([id]);
});

/** A line whose connection is not its own, as far as it can tell: what it sends to try that arrives elsewhere. */
function behindPooler(): AsyncDisposable & { readonly line: Lifeline } {
  const other = new PostgresClient({ url: elsewhere.url, connectionsMax: 1, deadlineMs: 5000 });
  const line = new Lifeline({ url: database.url, deadlineMs: 5000 }, schemaOf(place), other);
  return {
    line,
    async [Symbol.asyncDispose]() {
      await line.close();
      await other.close();
    },
  };
}

async function listeners(): Promise<number> {
  const rows = await admin`
    select from pg_stat_activity
    where application_name = 'taskonaut' and datname = current_database() and query ~ '^listen'`;
  return rows.length;
}

function schemaOf({ address }: Place): ReturnType<typeof quoteSchema> {
  if (address.dialect !== "postgres") throw new Error("Not a place on PostgreSQL.");
  return quoteSchema(address.schema);
}

// A place on PostgreSQL for each test, and a session that can see, and hold up, what stores do there.

import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import postgres from "postgres";

import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { type Place, POSTGRES, type PostgresPlace, postgresPlace } from "./place.ts";

const SET_UP_MS_MAX = 120_000;

export interface PostgresBench {
  /** Of the database. */
  readonly url: string;
  /** A session past all stores; the only one of its client. */
  readonly admin: postgres.Sql;
  /** Dropped after the test. */
  readonly place: Place;
  /** The schema of the place. */
  readonly schema: string;
}

/** Call it at the top of a file. `open`: where the database comes from, on which each test has an empty place. */
export function postgresBench(open: () => Promise<TestDatabase> = testDatabase): PostgresBench {
  const current: Current = {};
  let drop = async (): Promise<void> => {};
  beforeAll(async () => {
    const database = await open();
    ({ drop } = database);
    Object.assign(current, { database, admin: adminOf(database.url) });
  }, SET_UP_MS_MAX);
  afterAll(async () => {
    await current.admin?.end();
    await drop();
  });
  beforeEach(() => {
    current.place = postgresPlace(present(current.database).url);
  });
  afterEach(() => current.place?.drop());
  return benchOf(current);
}

/** The same, where each test has a database that is migrated already. */
export function migratedBench(): PostgresBench {
  const current: Current = {};
  beforeEach(async () => {
    const place = await POSTGRES.migrated();
    Object.assign(current, { place, database: place.address, admin: adminOf(place.address.url) });
  }, SET_UP_MS_MAX);
  afterEach(async () => {
    await current.admin?.end();
    await current.place?.drop();
  });
  return benchOf(current);
}

interface Current {
  database?: Pick<TestDatabase, "url">;
  admin?: postgres.Sql;
  place?: PostgresPlace;
}

function adminOf(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => {} });
}

function benchOf(current: Current): PostgresBench {
  return {
    get url() {
      return present(current.database).url;
    },
    get admin() {
      return present(current.admin);
    },
    get place() {
      return present(current.place);
    },
    get schema() {
      return present(current.place).address.schema;
    },
  };
}

function present<T>(made: T | undefined): T {
  if (made === undefined) throw new Error("The database is there within tests only.");
  return made;
}

/** Runs `during` while nobody can reach the tables; what it starts and does not await goes on afterwards. */
export async function whileBlocked<Result extends object>(
  { admin, schema }: PostgresBench,
  during: () => Result | Promise<Result>,
): Promise<Result> {
  const blocker = await admin.reserve();
  const tables = ["tasks", "workers", "schema_migrations"].map((table) => `${schema}.${table}`);
  try {
    await blocker.unsafe(`begin; lock table ${tables.join(", ")} in access exclusive mode`);
    const result = await during();
    if ("terminated" in result) await result.terminated;
    return result;
  } finally {
    await blocker`rollback`;
    blocker.release();
  }
}

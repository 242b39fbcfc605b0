// A database of PostgreSQL for the tests of one file, a place in it for each test, and a session that can see, and
// hold up, what stores do there.

import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import postgres from "postgres";

import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { type Place, postgresPlace } from "./place.ts";

export interface PostgresBench {
  /** Of the database. */
  readonly url: string;
  /** A session past all stores; the only one of its client. */
  readonly admin: postgres.Sql;
  /** Not migrated yet. Dropped after the test. */
  readonly place: Place;
  /** The schema of the place. */
  readonly schema: string;
}

/** Call it at the top of a file. `open`: where the database comes from. */
export function postgresBench(open: () => Promise<TestDatabase> = testDatabase): PostgresBench {
  let database: TestDatabase | undefined;
  let admin: postgres.Sql | undefined;
  let place: Place | undefined;

  beforeAll(async () => {
    database = await open();
    admin = postgres(database.url, { max: 1, onnotice: () => {} });
  }, 120_000);
  afterAll(async () => {
    await admin?.end();
    await database?.drop();
  });
  beforeEach(async () => {
    place = await postgresPlace(present(database).url);
  });
  afterEach(() => place?.drop());

  return {
    get url() {
      return present(database).url;
    },
    get admin() {
      return present(admin);
    },
    get place() {
      return present(place);
    },
    get schema() {
      const { address } = present(place);
      if (address.dialect !== "postgres") throw new Error("Not a place on PostgreSQL.");
      return address.schema;
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

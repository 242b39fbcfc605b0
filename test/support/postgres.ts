// Where tests find PostgreSQL: one server for the whole run, and a database of their own on it.

import postgres from "postgres";
import { once } from "./once.ts";
import { createServer, type PostgresServer } from "./postgres-server.ts";

const PLAIN = { max: 1, onnotice: () => {}, prepare: false, fetch_types: false } as const;

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, whoever is still connected to it. */
  readonly drop: () => Promise<void>;
}

/** A fresh, empty database on the run's server: `TEST_DATABASE_URL` where it is set, else one that is started for it. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = newDatabaseName();
  await onServer((sql) => sql.unsafe(`create database ${name}`));
  return { url: await urlOf(name), drop: () => dropDatabase(name) };
}

export function newDatabaseName(): string {
  return `test_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** Of a database on the run's server. */
export async function urlOf(name: string): Promise<string> {
  const url = new URL(await serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(name: string): Promise<void> {
  await onServer((sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
}

/** A connection to the run's server, on no test's database. */
export async function onServer<Result>(use: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
  return use(await adminConnection());
}

/** One for the process, that is gone when nobody uses it. */
const adminConnection: () => Promise<postgres.Sql> = once(async () =>
  postgres(await serverUrl(), { ...PLAIN, idle_timeout: 1 }),
);

export async function onDatabase<Result>(url: string, use: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
  const sql = postgres(url, PLAIN);
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

/** A server that the test may stop, kill and start again, apart from everybody else's. Call `dispose` when done. */
export function ownServer(): Promise<PostgresServer> {
  return createServer();
}

/** A database on a server apart from everybody else's, which ends when it is dropped. */
export async function databaseApart(): Promise<TestDatabase> {
  const server = await ownServer();
  return { url: server.url, drop: () => server.dispose() };
}

/** Started on the first call, once for the process; it ends with the process (see TP1 in postgres-server.ts). */
const sharedServer: () => Promise<PostgresServer> = once(() => createServer());

async function serverUrl(): Promise<string> {
  return process.env["TEST_DATABASE_URL"] ?? (await sharedServer()).url;
}

// Where tests find PostgreSQL: one server for the whole run, and a database of their own on it.

import postgres from "postgres";
import { createServer, type PostgresServer } from "./postgres-server.ts";

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, whoever is still connected to it. */
  readonly drop: () => Promise<void>;
}

/** A fresh, empty database on the run's server: `TEST_DATABASE_URL` where it is set, else one that is started for it. */
export async function testDatabase(): Promise<TestDatabase> {
  const url = new URL(process.env["TEST_DATABASE_URL"] ?? (await sharedServer()).url);
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = url.href;
  await execute(admin, `create database ${name}`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(admin, `drop database ${name} with (force)`) };
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

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => (started ??= start());
}

async function execute(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

// A statement that runs after a script is planned once for each session, whatever a pooler does with sessions.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { rejection } from "../support/rejection.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
}, 120_000);
afterAll(() => database.drop());

/** It has one connection. */
const open = (): PostgresClient => new PostgresClient({ url: database.url, connectionsMax: 1, deadlineMs: 10_000 });

const TEXT = "select $1::text || count(*) as told from seen where ($2::integer is null or n < $2)";
const ask = async (client: PostgresClient, script: string, most: number | null = null): Promise<string | undefined> =>
  (await client.queryAfter<{ told: string }>(script, { text: TEXT, parameters: ["it's ", most] }))[0]?.told;
const statements = (client: PostgresClient): Promise<{ calls: number }[]> =>
  client.query("select (generic_plans + custom_plans)::integer as calls from pg_prepared_statements where from_sql");

test("it is prepared once, takes its parameters, and sees what the script before it has done", async () => {
  const client = open();
  await client.execute("create table seen (n integer)");
  expect(await ask(client, "insert into seen values (1)")).toBe("it's 1");
  expect(await ask(client, "insert into seen values (2)")).toBe("it's 2");
  expect(await ask(client, "select 1", 2)).toBe("it's 1");
  expect(await statements(client)).toEqual([{ calls: 3 }]);
  await client.close();
});

test("where another session gets it, or one that has it already, it runs once all the same", async () => {
  const client = open();
  await client.execute("truncate seen");
  expect(await ask(client, "insert into seen values (1)")).toBe("it's 1");
  await client.execute("deallocate all");
  expect(await ask(client, "insert into seen values (2)")).toBe("it's 2");
  // prepared by a message of which the rest failed
  const other = open();
  await rejection(ask(other, "select * from nothing"));
  expect(await ask(other, "insert into seen values (3)")).toBe("it's 3");
  await rejection(ask(other, "insert into seen values (4); select 1 / 0"));
  expect(await ask(other, "select 1")).toBe("it's 3");
  await Promise.all([client.close(), other.close()]);
});

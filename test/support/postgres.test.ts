import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import postgres from "postgres";
import { ownServer, testDatabase } from "./postgres.ts";

async function query<T>(url: string, text: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 });
  try {
    return await sql.unsafe<(T & postgres.Row)[]>(text);
  } finally {
    await sql.end();
  }
}

test("every test database is empty, separate and durable", async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  await query(one.url, "create table only_here (id integer)");
  expect(await query(two.url, "select to_regclass('only_here') as found")).toEqual([{ found: null }]);
  expect(await query(one.url, "show fsync")).toEqual([{ fsync: "on" }]);
  const [server] = await query<{ version: string }>(one.url, "select current_setting('server_version') as version");
  expect(server?.version).toMatch(/^18\./);
  await Promise.all([one.drop(), two.drop()]);
  await expect(query(one.url, "select 1")).rejects.toThrow("does not exist");
});

test("a server of one's own keeps its port and its data through a stop and a kill", async () => {
  const server = await ownServer();
  await query(server.url, "create table kept as select 1 as value");
  await server.stop();
  await expect(query(server.url, "select 1")).rejects.toThrow("ECONNREFUSED");
  await server.start();
  await query(server.url, "insert into kept values (2)");
  await server.kill();
  await server.start();
  expect(await query(server.url, "select value from kept order by value")).toEqual([{ value: 1 }, { value: 2 }]);
  const [setting] = await query<{ data: string }>(server.url, "select current_setting('data_directory') as data");
  const data = setting?.data ?? "";
  expect(existsSync(data)).toBe(true);
  await server.dispose();
  expect(existsSync(data)).toBe(false);
});

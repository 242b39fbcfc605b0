// Databases on the run's server that have all tables, and no task. PostgreSQL works for a third of a second to make one, and
// most tests want one: so a database that a test is done with is left there for the next one, of this process or another.
// Whoever takes it empties it, under a name of his own: who was left behind by an earlier test reaches nobody else's. One in
// which more than rows has changed is dropped.

import type { Sql } from "postgres";
import { MIGRATIONS, openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { checksumOf } from "../../src/store/migrations.ts";
import { atEnd } from "./at-end.ts";
import { dropDatabase, newDatabaseName, onDatabase, onServer, type TestDatabase, urlOf } from "./postgres.ts";

/** What is more takes longer to delete than a new one to make. */
const BYTES_MAX = 32 * 1024 * 1024;

const TERMINATION_MS_MAX = 10_000;

/** Left to the end of a check, whose server ends with it; else this process drops what it leaves. */
const IS_SHARED = process.env["TEST_DATABASES_SHARED"] === "1";

/** A schema beside the tables: it holds what is needed to empty them. */
const PRISTINE = "pristine";

/** Its tables are in `schema`. `drop` leaves it to the next who asks. */
export async function migratedDatabase(schema = "taskonaut"): Promise<TestDatabase> {
  const name = (await takeFree(schema)) ?? (await makeMigrated(schema));
  return { url: await urlOf(name), drop: () => leave(name, schema) };
}

/** All databases of the same tables share the beginning of their names while nobody has them. */
function freeNames(schema: string): string {
  const sum = Bun.hash(MIGRATIONS.map(checksumOf).join()).toString(36);
  return `free_${schema}_${sum}_`;
}

async function takeFree(schema: string): Promise<string | undefined> {
  const found = await onServer(
    (sql) => sql<{ name: string }[]>`
      select datname as name from pg_database where starts_with(datname, ${freeNames(schema)})`,
  );
  for (const { name: free } of found) {
    const name = newDatabaseName();
    if (!(await rename(free, name))) continue;
    if (await empty(name)) return name;
    await dropDatabase(name);
  }
  return undefined;
}

async function leave(name: string, schema: string): Promise<void> {
  const free = `${freeNames(schema)}${crypto.randomUUID().slice(-12)}`;
  if (!(await rename(name, free))) return dropDatabase(name);
  if (!IS_SHARED) atEnd(() => dropDatabase(free));
}

/** False where another process was faster, or somebody does not let go of it. */
function rename(from: string, to: string): Promise<boolean> {
  return onServer(async (sql) => {
    if (!(await endConnections(sql, from))) return false;
    return sql.unsafe(`alter database ${from} rename to ${to}`).then(
      () => true,
      () => false,
    );
  });
}

/**
 * False where one does not end in time. We ask again and again ourselves: PostgreSQL would look only every 100 ms whether a
 * connection is gone, before it renames a database as well.
 */
async function endConnections(sql: Sql, name: string): Promise<boolean> {
  const end = performance.now() + TERMINATION_MS_MAX;
  for (;;) {
    const [left] = await sql<{ count: number }[]>`
      select count(pg_terminate_backend(pid))::int as count from pg_stat_activity where datname = ${name}`;
    if (left?.count === 0) break;
    if (performance.now() > end) return false;
    await Bun.sleep(2);
  }
  return true;
}

async function makeMigrated(schema: string): Promise<string> {
  const name = newDatabaseName();
  await onServer((sql) => sql.unsafe(`create database ${name}`));
  const url = await urlOf(name);
  const migrator = openPostgresMigrator({ url, schema });
  await migrator.migrate();
  await migrator.close();
  await onDatabase(url, (sql) => sql.unsafe(notingOf(schema)));
  return name;
}

/** Notes what is changed in more than rows, and keeps the rows that there are. */
function notingOf(schema: string): string {
  return `
    create schema ${PRISTINE};
    create table ${PRISTINE}.tables as
      select c.oid, c.oid::regclass::text as name, relname::text as plain from pg_class c
      where relkind = 'r' and relnamespace = '${schema}'::regnamespace;
    create table ${PRISTINE}.counters as
      select oid::regclass as name from pg_class where relkind = 'S' and relnamespace = '${schema}'::regnamespace;
    create table ${PRISTINE}.kept (name text, plain text);
    do $$ declare each record; has_rows boolean; begin
      for each in select * from ${PRISTINE}.tables loop
        execute 'select exists (select from ' || each.name || ')' into has_rows;
        continue when not has_rows;
        execute 'create table ${PRISTINE}.' || each.plain || ' as table ' || each.name;
        insert into ${PRISTINE}.kept values (each.name, each.plain);
      end loop;
    end $$;
    create function ${PRISTINE}.empty() returns void language plpgsql set session_replication_role = replica as $$
      declare each record; begin
        -- a table that was never written has no pages
        for each in select * from ${PRISTINE}.tables where pg_relation_size(oid) > 0 loop
          execute 'delete from ' || each.name;
        end loop;
        for each in select * from ${PRISTINE}.kept loop
          execute 'insert into ' || each.name || ' overriding system value select * from ${PRISTINE}.' || each.plain;
        end loop;
        perform setval(name, 1, false) from ${PRISTINE}.counters;
      end $$;
    create table ${PRISTINE}.changes (what text);
    create function ${PRISTINE}.note() returns event_trigger language plpgsql as
      $$ begin insert into ${PRISTINE}.changes values (tg_tag); end $$;
    create event trigger changes on ddl_command_end execute function ${PRISTINE}.note();`;
}

/** False where that is not enough, or takes longer than a new one. */
async function empty(name: string): Promise<boolean> {
  return onDatabase(await urlOf(name), async (sql) => {
    const [found] = await sql.unsafe<{ changed: boolean; bytes: number }[]>(
      `select exists (select from ${PRISTINE}.changes) as changed,
         (select sum(pg_relation_size(oid)) from ${PRISTINE}.tables)::float8 as bytes`,
    );
    if (!found || found.changed || found.bytes > BYTES_MAX) return false;
    await sql.unsafe(`select ${PRISTINE}.empty()`);
    return true;
  });
}

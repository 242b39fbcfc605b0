// A database of which single values are damaged, past everything that the tables refuse, and made good again. Tables and
// columns are those that the migrations made.

import { Database } from "bun:sqlite";
import { copyFileSync, rmSync } from "node:fs";
import postgres from "postgres";

export interface Column {
  readonly table: string;
  readonly name: string;
  /** As the database names it. */
  readonly type: string;
}

export interface DamagedDatabase {
  readonly columns: readonly Column[];
  /** False: there is no row, or the value is not taken for the key that it is. The rows are as they were before that. */
  damage(column: Column, value: string): Promise<boolean>;
  /** Makes all good again. Nobody may use the database meanwhile. */
  restore(): Promise<void>;
  /** How many rows each table has. */
  count(table: string): Promise<number>;
  close(): Promise<void>;
}

/** SQL of values that are wrong in a column of the type, or odd. */
export function valuesFor(type: string): readonly string[] {
  switch (type.toLowerCase()) {
    case "integer":
      return ["null", "-1", "2147483648", "9000000000000000", "9223372036854775807", "'frob'", "1.5", "x'ff00'"];
    case "text":
      return ["null", "''", "'frob'", "'{'", "'[]'", "7", "x'ff00'", "cast(x'ff' as text)"];
    case "pg smallint":
      return ["null", "-1", "32767"];
    case "pg integer":
      return ["null", "-1", "2147483647"];
    case "pg bigint":
      return ["null", "-1", "9223372036854775807"];
    case "pg timestamp with time zone":
      return ["null", "'infinity'", "'-infinity'", "'290000-01-01'"];
    case "pg json":
      return ["null", "'[]'", "'{}'", "'7'", "'null'"];
    case "pg uuid":
      return ["null", "gen_random_uuid()"];
    case "pg text":
      return ["null", "''", "'frob'", "'{'"];
    default:
      return ["null"];
  }
}

/** Of the file at `url`, which stays as it is: what is damaged is a copy at `path`. */
export function damagedSqlite(from: string, path: string): DamagedDatabase {
  const source = `${path}.sound`;
  const columns = copyWithoutTypes(from, source);
  const restore = async (): Promise<void> => {
    for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
    copyFileSync(source, path);
  };
  return {
    columns,
    restore,
    async damage({ table, name }, value) {
      using database = new Database(path);
      database.run("pragma ignore_check_constraints = on");
      database.run("pragma foreign_keys = off");
      const key = keyOf(database, table);
      const first = `select ${key} from ${table} order by ${name} is null limit 1`;
      try {
        return database.run(`update ${table} set ${name} = ${value} where (${key}) in (${first})`).changes > 0;
      } catch {
        return false; // a key is there already, or an integer key is no integer
      }
    },
    async count(table) {
      using database = new Database(source);
      return database.query<{ n: number }, []>(`select count(*) as n from ${table}`).get()?.n ?? 0;
    },
    close: async () => {},
  };
}

/** The columns that tell its rows apart. */
function keyOf(database: Database, table: string): string {
  const keys = database
    .query<{ name: string }, []>(`select name from pragma_table_info('${table}') where pk > 0 order by pk`)
    .all();
  return keys.length === 0 ? "rowid" : keys.map(({ name }) => name).join(", ");
}

/** The same rows in tables that take any value. A damaged page gives such values, whatever the schema says. */
function copyWithoutTypes(from: string, to: string): readonly Column[] {
  const database = new Database(to, { create: true });
  database.run(`attach '${from}' as sound`);
  database.run("pragma foreign_keys = off");
  const items = database
    .query<{ type: string; name: string; sql: string }, []>(
      "select type, name, sql from sound.sqlite_schema where sql is not null and name not like 'sqlite_%'",
    )
    .all();
  for (const pragma of ["application_id", "user_version"]) {
    const found = database.query<Record<string, number>, []>(`pragma sound.${pragma}`).get() ?? {};
    database.run(`pragma ${pragma} = ${found[pragma] ?? 0}`);
  }
  const columns: Column[] = [];
  const tables = items.filter(({ type }) => type === "table");
  for (const { sql } of tables) database.run(loosened(sql));
  for (const { name: table } of tables) {
    const found = database
      .query<{ name: string; type: string }, []>(
        `select name, type from pragma_table_xinfo('${table}', 'sound') where hidden = 0`,
      )
      .all();
    columns.push(...found.map(({ name, type }) => ({ table, name, type })));
    const names = found.map(({ name }) => name).join(", ");
    database.run(`insert into ${table} (${names}) select ${names} from sound.${table}`);
  }
  database.run("delete from sqlite_sequence");
  database.run("insert into sqlite_sequence select * from sound.sqlite_sequence");
  for (const { sql } of items.filter(({ type }) => type !== "table")) database.run(sql);
  database.run("detach sound");
  database.run("pragma journal_mode = wal");
  database.close();
  return columns;
}

function loosened(sql: string): string {
  return sql
    .replace(/\) strict(, without rowid)?$/, (_, end: string | undefined) =>
      end === undefined ? ")" : ") without rowid",
    )
    .replace(/^( {2}\w+) text(?! generated)/gm, "$1")
    .replace(/(?<!is )not null/g, "");
}

const SAVED = "saved";

/** Of the database itself: nothing else may use it afterwards. */
export async function damagedPostgres(url: string): Promise<DamagedDatabase> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { search_path: "taskonaut" } });
  const tables = (
    await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = 'taskonaut'`
  ).map(({ name }) => name);
  await sql.unsafe(`
    create schema ${SAVED};
    do $$ declare each record; begin
      for each in select conname, conrelid::regclass as t from pg_constraint
        where connamespace = 'taskonaut'::regnamespace and contype in ('c', 'f') loop
        execute format('alter table %s drop constraint %I', each.t, each.conname);
      end loop;
      for each in select attrelid::regclass as t, attname from pg_attribute a join pg_class c on c.oid = attrelid
        where relnamespace = 'taskonaut'::regnamespace and relkind = 'r' and attnum > 0 and attnotnull
          and attidentity = '' and not exists (
            select from pg_index i where i.indrelid = attrelid and i.indisprimary and attnum = any (i.indkey)
          ) loop
        execute format('alter table %s alter column %I drop not null', each.t, each.attname);
      end loop;
    end $$;
    ${tables.map((table) => `create table ${SAVED}.${table} as table taskonaut.${table};`).join("\n")}`);
  const columns = await sql<Column[]>`
    select table_name as "table", column_name as name, 'pg ' || data_type as type from information_schema.columns
    where table_schema = 'taskonaut' and is_generated = 'NEVER' and identity_generation is null
    order by table_name, ordinal_position`;
  const names = (table: string, all: readonly { readonly table: string; readonly name: string }[]): string =>
    all.flatMap((column) => (column.table === table ? column.name : [])).join(", ");
  const written = await sql<{ table: string; name: string }[]>`
    select table_name as "table", column_name as name from information_schema.columns
    where table_schema = 'taskonaut' and is_generated = 'NEVER'`;
  const restoring = `begin; set local session_replication_role = replica;
    truncate ${tables.map((table) => `taskonaut.${table}`).join(", ")};
    ${tables
      .map(
        (table) =>
          `insert into taskonaut.${table} (${names(table, written)}) overriding system value select ${names(table, written)} from ${SAVED}.${table};`,
      )
      .join("\n")}
    commit;`;
  return {
    columns,
    async restore() {
      await sql.unsafe(restoring);
    },
    async damage({ table, name }, value) {
      const first = `select ctid from taskonaut.${table} order by ${name} is null limit 1`;
      try {
        const { count } = await sql.unsafe(`update taskonaut.${table} set ${name} = ${value} where ctid = (${first})`);
        return count > 0;
      } catch {
        return false;
      }
    },
    async count(table) {
      const [row] = await sql.unsafe<{ n: number }[]>(`select count(*)::int as n from ${SAVED}.${table}`);
      return row?.n ?? 0;
    },
    close: () => sql.end(),
  };
}

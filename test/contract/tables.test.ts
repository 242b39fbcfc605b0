// The columns that `src/store/tables.ts` tells are those that the migrations made, on both stores.

import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import postgres from "postgres";

import { TABLES } from "../../src/store/tables.ts";
import { POSTGRES, SQLITE } from "./place.ts";

interface Found {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly begins: string | null;
  readonly nullable: boolean | 0 | 1;
  /** The database derives it from other columns. */
  readonly derived: boolean | 0 | 1;
}

/** Columns that no row has outside the database, and who has them. */
const WITHIN = {
  "tasks.deaths": "both",
  "tasks.limited": "both",
  "tasks.end_status": "postgres",
  "tasks.limit_begun": "both",
  "task_inbox.consumed_at": "both",
  "workers.grace_ms": "postgres",
  "workers.pauses_seen": "both",
} as const;

const TYPES = {
  sqlite: {
    uuid: "TEXT",
    text: "TEXT",
    json: "TEXT",
    smallint: "INTEGER",
    integer: "INTEGER",
    bigint: "INTEGER",
    boolean: "INTEGER",
    time: "INTEGER",
  },
  postgres: {
    uuid: "uuid",
    text: "text",
    json: "json",
    smallint: "smallint",
    integer: "integer",
    bigint: "bigint",
    boolean: "boolean",
    time: "timestamp with time zone",
  },
} as const;

interface Told {
  readonly type: keyof (typeof TYPES)["sqlite"];
  readonly begins?: null | 0;
  readonly nullable?: true;
  readonly derived?: true;
}

function expectColumns(dialect: "sqlite" | "postgres", found: readonly Found[]): void {
  for (const { name: table, columns, begins, written } of TABLES) {
    const own = found.filter((column) => column.table === table);
    const within = Object.entries(WITHIN).flatMap(([column, who]) =>
      column.startsWith(`${table}.`) && (who === "both" || who === dialect) ? column.slice(table.length + 1) : [],
    );
    const told = Object.entries<Told>(columns);
    expect(own.map(({ name }) => name).toSorted()).toEqual([...told.map(([name]) => name), ...within].toSorted());
    for (const [name, { type, begins: initial, nullable = initial === null, derived = false }] of told) {
      const column = own.find((each) => each.name === name);
      expect([table, name, column?.type]).toEqual([table, name, TYPES[dialect][type]]);
      if (!derived) expect([table, name, Boolean(column?.nullable)]).toEqual([table, name, nullable]);
    }
    const isWritten = ({ name, derived }: Found): boolean => !derived && !within.includes(name);
    expect([
      table,
      own
        .filter(isWritten)
        .map(({ name }) => name)
        .toSorted(),
    ]).toEqual([table, [...written].toSorted()]);
    // an insert may leave out what begins so
    for (const { name, value } of begins) {
      const column = own.find((each) => each.name === name);
      expect([table, name, column?.begins ?? null]).toEqual([table, name, value === null ? null : String(value)]);
    }
  }
}

test("on SQLite", async () => {
  const place = await SQLITE.migrated();
  if (place.address.dialect !== "sqlite") throw new Error("It is a place on SQLite.");
  const database = new Database(place.address.path);
  const found = database.query<Found, []>(
    `select t.name as "table", c.name, c.type, c.dflt_value as begins, c.hidden = 2 as derived,
       not c."notnull" as nullable
     from pragma_table_list t, pragma_table_xinfo(t.name) c where t.schema = 'main'`,
  );
  expectColumns("sqlite", found.all());
  database.close();
  await place.drop();
});

test("on PostgreSQL", async () => {
  const place = await POSTGRES.migrated();
  if (place.address.dialect !== "postgres") throw new Error("It is a place on PostgreSQL.");
  const sql = postgres(place.address.url, { max: 1 });
  const found = await sql<Found[]>`
    select table_name as "table", column_name as name, data_type as type, column_default as begins,
      is_generated = 'ALWAYS' as derived, is_nullable = 'YES' as nullable
    from information_schema.columns where table_schema = ${place.address.schema}`;
  expectColumns("postgres", found);
  await sql.end();
  await place.drop();
}, 60_000);

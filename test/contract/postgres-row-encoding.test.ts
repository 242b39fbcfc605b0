// How rows travel into a statement: whatever they hold, and whether they agree or not, what goes in comes out.

import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";

import type { InboxPost } from "../../src/store/store.ts";
import { asJson, byColumns } from "../../src/store/postgres/row-encoding.ts";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import type { Fields } from "../../src/store/postgres/fields.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { milliseconds } from "../../src/store/postgres/schema.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { testDatabase } from "../support/postgres.ts";
import { changeOf, plannedRecord, T0 } from "./rows.ts";

const database = await testDatabase();
const client = new PostgresClient({ url: database.url, connectionsMax: 1, deadlineMs: 20_000 });

afterAll(async () => {
  await client.close();
  await database.drop();
});

interface Row {
  readonly id: string;
  readonly name: string | null;
  readonly payload: string | null;
  readonly flag: boolean | null;
  readonly small: number | null;
  readonly version: number | null;
  readonly at: number | null;
}

const FIELDS: Fields<Row> = {
  id: "uuid",
  name: "text",
  payload: "json",
  flag: "boolean",
  small: "smallint",
  version: "bigint",
  at: "time",
};

/** Values of which some mean something in an array of PostgreSQL, and many come twice. */
const anyName = fc.oneof(
  fc.constantFrom("", "null", "NULL", "{}", "a,b", '"', "\\", "\\n", "a\nb\tc\u0001", '{"x":"\\n"}', "ä😀"),
  fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
);
const anyRow: fc.Arbitrary<Row> = fc.record({
  id: fc.uuid(),
  name: fc.option(anyName),
  payload: fc.option(fc.json()),
  flag: fc.option(fc.boolean()),
  small: fc.option(fc.integer({ min: -32_768, max: 32_767 })),
  version: fc.option(fc.maxSafeInteger()),
  at: fc.option(fc.integer({ min: 0, max: 2 * T0 })),
});

describe.each([
  ["as JSON", asJson],
  ["by columns", byColumns],
])("rows travel %s", (_, encoding) => {
  const source = encoding.write(FIELDS, []).map((_parameter, place) => `$${place + 1}`);
  const statement = `
    select id, name, payload::text, flag, small, version, ${milliseconds("at")} as at
    from ${encoding.read(FIELDS, source, "r")}`;

  async function send(rows: readonly Row[]): Promise<Row[]> {
    return client.query<Row>(statement, encoding.write(FIELDS, rows));
  }

  test("as they are, in their order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 20 }), async (rows) => {
        expect(await send(rows)).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  test("where all agree in a value, and where they agree in none", async () => {
    const [first] = fc.sample(anyRow, { seed: 1, numRuns: 1 });
    if (!first) throw new Error("no row");
    const alike = Array.from({ length: 3 }, () => ({ ...first, name: "null", payload: "null", flag: false, at: null }));
    expect(await send(alike)).toEqual(alike);
  });

  test("but for NUL, which the database refuses", async () => {
    const [first] = fc.sample(anyRow, { seed: 1, numRuns: 1 });
    if (!first) throw new Error("no row");
    await expect(send([first, { ...first, name: "a\0b" }])).rejects.toMatchObject({ code: "internal" });
  });
});

test("posts and consumed rows of a batch are those of the changes that were won", async () => {
  const migrator = openPostgresMigrator({ url: database.url });
  await migrator.migrate();
  await migrator.close();
  const store = await openPostgresStore({ url: database.url });
  const records = Array.from({ length: 5 }, () => plannedRecord());
  await store.insertTasks(records);
  const [first, second, stale, heard, other] = records.map(({ task }) => task);
  if (!first || !second || !stale || !heard || !other) throw new Error("no tasks");
  const signal = (task_id: string, name: string): InboxPost => {
    const nothing = { step_id: null, error: null, idempotency_key: null, attempt_epoch: null };
    return { task_id, kind: "signal", name, payload: JSON.stringify({ name }), ...nothing };
  };
  for (const task of [first, second, stale]) await store.postToTask(signal(task.id, "before"));

  const changes = [
    changeOf(first, {}, { consumed: [1], posts: [signal(heard.id, "a\nb"), signal(other.id, "c")] }),
    { ...changeOf(stale, {}, { consumed: [1], posts: [signal(heard.id, "d")] }), expectedVersion: 0 },
    changeOf(second, {}, { posts: [signal(heard.id, "e")] }),
  ];
  expect(await store.commitChanges(changes)).toEqual([true, false, true]);

  const inboxes = await Promise.all(
    records.map(({ task }) => store.readInbox(task.id, { names: ["before", "a\nb", "c", "d", "e"], after: 0 })),
  );
  expect(inboxes.map(({ wakeSeq, rows }) => [wakeSeq, rows.map((row) => `${row.seq} ${row.name}`)])).toEqual([
    [1, []],
    [1, ["1 before"]],
    [1, ["1 before"]],
    [2, ["1 a\nb", "2 e"]],
    [1, ["1 c"]],
  ]);
  expect(inboxes[3]?.rows[0]?.payload).toBe(JSON.stringify({ name: "a\nb" }));
  await store.close();
});

// What only the SQLite store can come to with events.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openStore } from "../../src/store/open.ts";
import { SQLITE } from "./place.ts";
import { plannedRecord } from "./rows.ts";

test("a position after which there is none stops no write, and listeners begin anew", async () => {
  const place = await SQLITE.migrated();
  const store = await openStore(place.address);
  const { epoch } = await store.events.listen(60_000);
  await store.insertTasks([plannedRecord()]);
  const database = new Database(place.address.path);
  database.run("update task_events set position = 9223372036854775807");
  database.close();
  expect(await store.insertTasks([plannedRecord()])).toEqual([true]);

  const listening = await store.events.listen(60_000);
  expect(listening.epoch).not.toBe(epoch);
  const record = plannedRecord();
  await store.insertTasks([record]);
  const page = await store.events.openReader().read();
  expect(page).toMatchObject({ epoch: listening.epoch, rows: [{ task_id: record.task.id, position: 1 }] });
  await store.close();
  await place.drop();
});

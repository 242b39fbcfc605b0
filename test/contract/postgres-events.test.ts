// Events while another transaction is open on the same server: its snapshots begin before it, also those of who listens.

import { afterEach, beforeEach, expect, test } from "bun:test";

import type { EventRow } from "../../src/store/event-store.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { migratedBench } from "./postgres-bench.ts";
import { plannedRecord } from "./rows.ts";

const bench = migratedBench();
const MINUTE = 60_000;

let store: Store;
beforeEach(async () => {
  store = await openStore(bench.place.address);
});
afterEach(() => store.close());

test("what was read is known to be after the floor, and each event comes once", async () => {
  const rows: EventRow[] = [];
  const record = plannedRecord();
  await bench.admin.begin(async (open) => {
    await open`select pg_current_xact_id()`;
    await store.events.listen(MINUTE);
    const reader = store.events.openReader();
    const first = await reader.read();
    expect(first.isWhole).toBe(false);
    expect(first.next).toBeGreaterThanOrEqual(first.floor);
    await store.insertTasks([record]);
    for (let look = 0; look < 3; look++) {
      const page = await reader.read();
      expect(page.floor).toBe(first.floor);
      expect(page.next).toBeGreaterThanOrEqual(page.floor);
      rows.push(...page.rows);
    }
  });
  expect(rows.map(({ task_id }) => task_id)).toEqual([record.task.id]);
});

test("what a slow transaction has put down is told when it has ended, although later ones were read before", async () => {
  await store.events.listen(MINUTE);
  const reader = store.events.openReader();
  const [slow, quick] = [plannedRecord().task, plannedRecord()];
  const told = async (): Promise<readonly string[]> => (await reader.read()).rows.map(({ task_id }) => task_id);
  await told();
  await bench.admin.begin(async (open) => {
    await open`
      insert into ${open(bench.schema)}.task_events (kind, about_id, version, flow_name, status, parked, priority)
      values ('created', ${slow.id}, 1, ${slow.flow_name}, 'PLANNED', false, 5)`;
    await store.insertTasks([quick]);
    expect(await told()).toEqual([quick.task.id]);
  });
  expect(await told()).toEqual([slow.id]);
  expect(await told()).toEqual([]);
});

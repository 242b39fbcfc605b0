// The metrics of the whole store.

import { expect, test } from "bun:test";
import { plannedRecord } from "../../test/contract/rows.ts";
import { readExposition, valueOf } from "../../test/support/exposition.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";
import { Registry } from "./registry.ts";
import { StoreFigures } from "./store-figures.ts";

const NOW = 1_700_000_000_000;

async function opened(): Promise<Store> {
  return openSqliteStore({ path: ":memory:", now: () => NOW });
}

test("tasks, their queue and the living workers are told, in the format that Prometheus reads", async () => {
  const store = await opened();
  await store.insertTasks([
    plannedRecord({ due_at: NOW - 90_000 }),
    plannedRecord({ due_at: NOW - 1_000 }),
    plannedRecord({ flow_name: "order", due_at: null, parked_reason: "other code" }),
  ]);
  await store.registerWorker({ id: "w", name: "w", leaseMs: 60_000, concurrency: 8 });
  const text = await tell(new StoreFigures({ store }));
  const families = readExposition(text);
  expect([...families.keys()].every((name) => name.startsWith("taskonaut_"))).toBe(true);
  expect(valueOf(text, "taskonaut_store_up")).toBe(1);
  expect(valueOf(text, "taskonaut_tasks", { flow: "echo_add", status: "PLANNED" })).toBe(2);
  expect(valueOf(text, "taskonaut_tasks_due", { flow: "echo_add" })).toBe(2);
  expect(valueOf(text, "taskonaut_oldest_due_seconds", { flow: "echo_add" })).toBe(90);
  expect(valueOf(text, "taskonaut_tasks_parked", { flow: "order" })).toBe(1);
  expect(valueOf(text, "taskonaut_slots")).toBe(8);
  await store.close();
});

test("the store is asked once for all who ask within five seconds", async () => {
  const store = await opened();
  let now = 0;
  let asked = 0;
  const read = (): ReturnType<typeof store.counts.read> => {
    asked += 1;
    return store.counts.read();
  };
  const counts = { ...store.counts, read };
  const figures = new StoreFigures({ store: { ...store, counts }, elapsed: () => now });
  await Promise.all([figures.refresh(), figures.refresh()]);
  now = 4_999;
  await figures.refresh();
  expect(asked).toBe(1);
  now = 5_000;
  await figures.refresh();
  expect(asked).toBe(2);
  await store.close();
});

test("a store that fails, or does not answer in time, is told as down, and what was known before is told no more", async () => {
  const store = await opened();
  await store.insertTasks([plannedRecord()]);
  let now = 0;
  let read: Store["counts"]["read"] = () => store.counts.read();
  const options = {
    store: { ...store, counts: { ...store.counts, read: () => read() } },
    elapsed: () => now,
    waitMs: 1,
  };
  const figures = new StoreFigures({ ...options, waitMs: 60_000 });
  expect(valueOf(await tell(figures), "taskonaut_tasks")).toBe(1);
  now = 5_000;
  read = () => Promise.reject(new Error("the network"));
  const text = await tell(figures);
  expect([valueOf(text, "taskonaut_store_up"), readExposition(text).get("taskonaut_tasks")?.samples]).toEqual([0, []]);
  const { promise, resolve } = Promise.withResolvers<never[]>();
  read = () => promise;
  const slow = new StoreFigures(options);
  expect(valueOf(await tell(slow), "taskonaut_store_up")).toBe(0);
  resolve([]);
  await store.close();
});

async function tell(figures: StoreFigures): Promise<string> {
  const registry = new Registry();
  figures.addTo(registry);
  await figures.refresh();
  return registry.write();
}

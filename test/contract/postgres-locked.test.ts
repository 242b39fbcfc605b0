// What becomes of a call that waits for a lock of somebody else, and of those beside it.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";

import type { TaskRecord } from "../../src/core/record/record.ts";
import { CommitWriter } from "../../src/engine/process/commit-writer.ts";
import type { Store } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import { migrate } from "./place.ts";
import { postgresBench, whileBlocked } from "./postgres-bench.ts";
import { changeOf, plannedRecord } from "./rows.ts";
import { until } from "../support/until.ts";

const bench = postgresBench();

test("a call that waits past its deadline ends, and the next one works", async () => {
  await migrate(bench.place.address);
  const store = await openStore(bench.place.address, { deadlineMs: 400 });
  const record = plannedRecord();
  await store.insertTasks([record]);
  await whileBlocked(bench, async () => {
    const late = { code: "database_unavailable", message: expect.stringContaining("within 0.4 s") };
    await Promise.all([
      expect(store.readTask(record.task.id)).rejects.toMatchObject(late),
      expect(store.commitChanges([changeOf(record.task)])).rejects.toMatchObject(late),
    ]);
    return {}; // the tables are locked until here: nothing but the deadline has ended the calls
  });
  expect((await store.readTask(record.task.id))?.task.id).toBe(record.task.id);
  expect(await store.insertTasks([plannedRecord()])).toEqual([true]);
  await store.close();
});

describe("a row that a stranger keeps locked", () => {
  const [locked, other] = [plannedRecord(), plannedRecord()];
  const busy = { code: "task_busy", retryable: true, message: expect.stringContaining("another session") };
  let store: Store;

  beforeEach(async () => {
    await migrate(bench.place.address);
    store = await openStore(bench.place.address);
    await store.insertTasks([locked, other]);
  });

  afterEach(() => store.close());

  test("keeps the others of the process waiting for a moment only, and leaves no backend waiting", async () => {
    const writer = new CommitWriter(store);
    await whileLocked(locked, async () => {
      const refused = writer.submitChange(changeOf(locked.task)).catch((error: unknown) => error);
      await until(async () => (await waitingBackends()) === 1);
      const others = [writer.submitTask(plannedRecord()), writer.submitChange(changeOf(other.task))];
      // the row is locked until the end: they have not waited for it, nor for the deadline, which would reject them
      expect(await Promise.all(others)).toEqual([true, true]);
      expect(await refused).toMatchObject(busy);
      expect(await waitingBackends()).toBe(0);
    });
    expect(await writer.submitChange(changeOf(locked.task))).toBe(true);
  });

  test("refuses its own writer alone, of a whole batch", async () => {
    const writer = new CommitWriter(store);
    await whileLocked(locked, async () => {
      const batch = [writer.submitChange(changeOf(locked.task)), writer.submitChange(changeOf(other.task))];
      expect(await Promise.allSettled(batch)).toMatchObject([
        { status: "rejected", reason: busy },
        { status: "fulfilled", value: true },
      ]);
    });
    expect(await writer.submitChange(changeOf(locked.task))).toBe(true);
  });

  test("refuses a signal to its task", async () => {
    const post = { task_id: locked.task.id, kind: "signal", name: "go", step_id: null, payload: null } as const;
    await whileLocked(locked, async () => {
      await expect(
        store.postToTask({ ...post, error: null, idempotency_key: "k", attempt_epoch: null }),
      ).rejects.toMatchObject(busy);
    });
  });

  test("leaves no backend waiting behind a caller whose deadline was shorter", async () => {
    const hasty = await openStore(bench.place.address, { deadlineMs: 300 });
    await whileLocked(locked, async () => {
      await expect(hasty.commitChanges([changeOf(locked.task)])).rejects.toMatchObject({
        code: "database_unavailable",
        message: expect.stringContaining("within 0.3 s"),
      });
      await until(async () => (await waitingBackends()) === 0);
    });
    expect(await hasty.commitChanges([changeOf(locked.task)])).toEqual([true]);
    await hasty.close();
  });
});

test("a table that is locked refuses a whole batch after a few tries, not one by one", async () => {
  await migrate(bench.place.address);
  const store = await openStore(bench.place.address);
  const records = Array.from({ length: 20 }, () => plannedRecord());
  await store.insertTasks(records);
  let tries = 0;
  const writer = new CommitWriter({
    ...store,
    commitChanges(changes) {
      tries += 1;
      return store.commitChanges(changes);
    },
  });
  await whileBlocked(bench, async () => {
    const ends = await Promise.allSettled(records.map(({ task }) => writer.submitChange(changeOf(task))));
    for (const end of ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "task_busy" } });
    expect(tries).toBeLessThan(records.length / 2);
    return {};
  });
  expect(await writer.submitChange(changeOf(records[0]!.task))).toBe(true);
  await store.close();
}, 120_000);

/** Runs `during` while a stranger holds the task's row. */
async function whileLocked({ task }: TaskRecord, during: () => Promise<void>): Promise<void> {
  const stranger = postgres(bench.url, { max: 1, onnotice: () => {} });
  const session = await stranger.reserve();
  await session.unsafe(`begin; select from ${bench.schema}.tasks where id = '${task.id}' for update`);
  try {
    await during();
  } finally {
    await session`rollback`;
    session.release();
    await stranger.end();
  }
}

async function waitingBackends(): Promise<number> {
  const rows = await bench.admin`
    select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  return rows.length;
}

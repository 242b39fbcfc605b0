// What every store must hold to when one thing is left for many tasks in one commit.

import { describe, expect, test } from "bun:test";

import type { TaskRow } from "../../src/core/record/record.ts";
import { signalOf } from "../../src/engine/task/inbox-posts.ts";
import { type InboxPost, POSTS_MAX } from "../../src/store/store.ts";
import type { Place } from "./place.ts";
import { inStatus, plannedRecord, T0 } from "./rows.ts";
import { taskBench } from "./task-bench.ts";

const LONG = JSON.stringify("x".repeat(100_000));

export function postsContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: posts to many tasks`, () => {
    const bench = taskBench(create);

    const post = (task_id: string, over: Partial<InboxPost> = {}): InboxPost => ({
      ...signalOf(task_id, "go", "1", undefined),
      ...over,
    });
    const insert = async (over: Partial<TaskRow> = {}): Promise<string> =>
      (await bench.insert(plannedRecord({ due_at: null, ...over }))).task.id;
    const read = async (id: string): Promise<TaskRow | undefined> => bench.store.readTaskRow(id);
    const inboxOf = async (id: string): Promise<readonly unknown[]> =>
      (await bench.store.readInbox(id, { names: ["go"], after: 0 })).rows.map(({ seq, kind, payload }) => [
        seq,
        kind,
        payload,
      ]);

    test("each hears it as if it had been told alone, once for each key", async () => {
      const [planned, running, parked, ended] = [
        await insert(),
        await insert({ ...inStatus("RUNNING"), wake_seq: 7 }),
        await insert({ ...inStatus("RUNNING"), parked_reason: "it does not match" }),
        await insert(inStatus("COMPLETED")),
      ];
      const ids = [planned, running, parked, ended, Bun.randomUUIDv7()];
      const signals = ids.map((id) => post(id, { idempotency_key: "k", payload: LONG }));
      expect(await bench.store.postToTasks(signals)).toEqual(["posted", "posted", "posted", "refused", "refused"]);
      expect(await bench.store.postToTasks(signals)).toEqual([
        "duplicate",
        "duplicate",
        "duplicate",
        "refused",
        "refused",
      ]);
      expect(await inboxOf(planned)).toEqual([[1, "signal", LONG]]);
      expect(await inboxOf(running)).toEqual([[8, "signal", LONG]]);
      expect(await inboxOf(ended)).toEqual([]);
      const due = await Promise.all(ids.map(async (id) => (await read(id))?.due_at ?? null));
      expect(due.map((at) => at !== null)).toEqual([false, true, false, false, false]);
      // a task that waits to be started is started by a cancel
      const cancels = ids.slice(0, 2).map((id) => post(id, { kind: "cancel", name: null, payload: null }));
      expect(await bench.store.postToTasks(cancels)).toEqual(["posted", "posted"]);
      expect(await bench.store.postToTasks(cancels)).toEqual(["posted", "posted"]);
      expect((await read(planned))?.due_at).toBeGreaterThan(T0);
      expect(await read(running)).toMatchObject({ version: 1, wake_seq: 10 });
      expect(await bench.store.postToTasks([])).toEqual([]);
    });

    test("as many as one commit takes", async () => {
      const records = Array.from({ length: POSTS_MAX }, () => plannedRecord());
      await bench.store.insertTasks(records);
      const told = await bench.store.postToTasks(records.map(({ task }) => post(task.id)));
      expect(new Set(told)).toEqual(new Set(["posted"]));
      expect(told).toHaveLength(POSTS_MAX);
    });

    test("of two that come at once under one key one is heard", async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, () => insert()));
      const signals = (order: readonly string[]): InboxPost[] => order.map((id) => post(id, { idempotency_key: "k" }));
      const told = await Promise.all([
        bench.store.postToTasks(signals(ids)),
        bench.store.postToTasks(signals(ids.toReversed())),
        bench.store.postToTasks(signals(ids)),
      ]);
      const counts = Map.groupBy(told.flat(), (kind) => kind);
      expect(counts.get("posted")).toHaveLength(20);
      expect(counts.get("duplicate")).toHaveLength(40);
    });
  });
}

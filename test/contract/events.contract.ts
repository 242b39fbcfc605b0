// What happened to tasks, for those who listen: put down with the change itself, and only while somebody listens.

import { describe, expect, test } from "bun:test";
import { type EventPage, type EventReader, type EventRow, EVENTS_KEPT } from "../../src/store/event-store.ts";
import type { InboxPost } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import { until } from "../support/until.ts";
import type { Place } from "./place.ts";
import { changeOf, inStatus, plannedRecord } from "./rows.ts";
import { taskBench } from "./task-bench.ts";

const MINUTE = 60_000;

export function eventContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: events`, () => {
    const bench = taskBench(create);

    async function readAll(reader: EventReader): Promise<EventRow[]> {
      const rows: EventRow[] = [];
      for (;;) {
        const page = await reader.read();
        rows.push(...page.rows);
        if (!page.isCut) return rows;
      }
    }

    const told = (rows: readonly EventRow[]): string[] =>
      rows.map(({ kind, status, version }) => `${kind} ${status} ${version}`);

    test("nothing is put down before somebody listens, and every change of a task while somebody does", async () => {
      const { store } = bench;
      const early = await bench.insert(plannedRecord());
      expect(await bench.place.count("task_events")).toBe(0);
      await store.events.listen(MINUTE);
      const reader = store.events.openReader();
      const { task } = await bench.insert(plannedRecord({ tags: `{"customer":"c1"}`, priority: 3, due_at: 1 }));
      expect(await readAll(reader)).toMatchObject([
        {
          kind: "created",
          task_id: task.id,
          version: 1,
          flow_name: task.flow_name,
          status: "PLANNED",
          parked: false,
          waits: null,
          parent_task_id: null,
          schedule: null,
          priority: 3,
          tags: `{"customer":"c1"}`,
        },
      ]);
      const worker = Bun.randomUUIDv7();
      await store.registerWorker({ id: worker, name: "host:1", leaseMs: MINUTE, concurrency: 5 });
      const claim = await store.claimTasks({
        workerId: worker,
        limit: 5,
        flows: [{ name: task.flow_name, limit: 5, heldMax: null }],
        deadOwners: [],
      });
      expect(claim.tasks).toHaveLength(1);
      await store.releaseTasks({ workerId: worker, except: [] });
      await store.postToTask(signalTo(early.task.id));
      const ended = changeOf(early.task, inStatus("CANCELLED"));
      expect(await store.commitChanges([ended])).toEqual([true]);
      // a write that has lost its fence has not happened
      expect(await store.commitChanges([ended])).toEqual([false]);
      await store.removal.removeTasks({ ids: [early.task.id] });
      const rows = await readAll(reader);
      expect(told(rows.filter(({ task_id }) => task_id === task.id))).toEqual([
        "changed PLANNED 2",
        "changed PLANNED 3",
      ]);
      expect(told(rows.filter(({ task_id }) => task_id === early.task.id))).toEqual([
        "changed PLANNED 1",
        "changed CANCELLED 2",
        "removed CANCELLED 2",
      ]);
    });

    test("who listens in another process hears of what this one does, once", async () => {
      const { store } = bench;
      await using other = await openOther(bench.place);
      const { epoch } = await other.store.events.listen(MINUTE);
      expect(await store.events.listen(MINUTE)).toEqual({ epoch });
      const reader = other.store.events.openReader();
      const records = [plannedRecord(), plannedRecord(), plannedRecord()];
      await store.insertTasks(records);
      const rows = await readAll(reader);
      expect(rows.map(({ task_id }) => task_id).toSorted()).toEqual(records.map(({ task }) => task.id).toSorted());
      expect(await readAll(reader)).toEqual([]);
      // who comes later reads from the first on, and goes on from where another has ended
      expect(await readAll(store.events.openReader())).toEqual(rows);
      // whoever is at work on the same server, in whatever database, ends at some time
      const isPast = ({ isWhole, next }: EventPage): boolean =>
        isWhole && rows.every(({ position }) => position < next);
      let page = await reader.read();
      await until(async () => isPast(page) || isPast((page = await reader.read())));
      expect(page).toMatchObject({ epoch, rows: [], isCut: false, isWhole: true });
      expect(rows.every(({ position }) => position >= page.floor)).toBe(true);
    });

    test("a journal that nobody has kept up is another one, and what it had is not told any more", async () => {
      const { store } = bench;
      const { epoch } = await store.events.listen(MINUTE);
      await bench.insert(plannedRecord());
      await bench.place.execute(
        `update event_journal set listened_until = ${dialect === "sqlite" ? 0 : "'-infinity'"}`,
      );
      await bench.insert(plannedRecord());
      expect((await store.events.listen(MINUTE)).epoch).not.toBe(epoch);
      const { task } = await bench.insert(plannedRecord());
      const rows = await readAll(store.events.openReader());
      expect(rows.map(({ task_id }) => task_id)).toEqual([task.id]);
    });

    test("the last events are kept, and where older ones were removed can be told", async () => {
      const { store } = bench;
      await store.events.listen(MINUTE);
      const record = plannedRecord();
      await store.insertTasks([record]);
      const reader = store.events.openReader();
      await readAll(reader);
      const columns = "at, kind, about_id, version, flow_name, status, parked, priority";
      const numbers = `with recursive n (n) as (select 1 union all select n + 1 from n where n < ${EVENTS_KEPT + 10})`;
      await bench.place.execute(
        dialect === "sqlite"
          ? `insert into task_events (${columns}) ${numbers} select 1, 'changed', '${record.task.id}', n, 'f', 'RUNNING', 0, 5 from n`
          : `insert into task_events (${columns}) ${numbers} select now(), 'changed', '${record.task.id}', n, 'f', 'RUNNING', false, 5 from n`,
      );
      await store.events.listen(MINUTE);
      expect(await bench.place.count("task_events")).toBe(EVENTS_KEPT);
      const late = store.events.openReader();
      const { floor } = await late.read();
      const before = (await store.events.openReader().read()).floor;
      expect(before).toBe(floor);
      const rows = await readAll(reader);
      // PostgreSQL tells by transactions where the journal begins: of one that was cut, nothing is told
      expect(rows.length).toBe(dialect === "sqlite" ? EVENTS_KEPT : 0);
      expect(rows.every(({ position }) => position >= floor)).toBe(true);
    });
  });
}

function signalTo(task_id: string): InboxPost {
  const nothing = { step_id: null, payload: null, error: null, idempotency_key: null, attempt_epoch: null };
  return { ...nothing, task_id, kind: "signal", name: "go" };
}

async function openOther(place: Place) {
  const store = await openStore(place.address);
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

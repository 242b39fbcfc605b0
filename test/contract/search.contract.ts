// Searches: whatever is asked of whatever tasks, a store finds what the filter means (`core/api/match-filter.ts`), in the
// order of lists, page by page.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { filterPairs, readFilter } from "../../src/core/api/filter-text.ts";
import { matchesFilter } from "../../src/core/api/match-filter.ts";
import type { FilterPair, TaskFilter } from "../../src/core/api/task-filter.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import { toTagsText } from "../../src/core/record/tags.ts";
import { listTasks } from "../../src/engine/doors/list-tasks.ts";
import { rowFilterOf } from "../../src/engine/doors/row-filter.ts";
import { NOBODY } from "../../src/engine/process/nobody.ts";
import { withPauses } from "../../src/engine/task/to-pause.ts";
import { toTask } from "../../src/engine/task/to-task.ts";
import type { ListKey, Store } from "../../src/store/store.ts";
import { tasksOf } from "../support/listed.ts";
import type { Place } from "./place.ts";
import { FLOWS, PARENTS, randomRecord, SCHEDULES, SIGNALS, STEP_MS, TAGS } from "./random-records.ts";
import { changeOf, plannedRecord, T0, taskRow } from "./rows.ts";
import { taskBench } from "./task-bench.ts";
import { effort } from "../support/effort.ts";

const time = fc.nat({ max: 19 }).map((n) => new Date(T0 + n * STEP_MS + (n % 3) - 1).toISOString());
const pair = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<FilterPair> =>
  value.map((text): FilterPair => [name, text]);

const anyPair: fc.Arbitrary<FilterPair> = fc.oneof(
  pair("flow", fc.constantFrom(...FLOWS, "none")),
  pair("status", fc.constantFrom("PLANNED", "RUNNING", "WAITING_OBSERVATION", "COMPLETED", "FAILED", "CANCELLED")),
  pair("parked", fc.constant("true")),
  pair("in-doubt", fc.constant("true")),
  pair("needs-person", fc.constant("true")),
  pair(
    "waiting-for",
    fc.constantFrom(
      "time",
      "signal",
      "child",
      "retry",
      "doubt",
      "limit",
      "pause",
      "pause",
      ...SIGNALS.map((name) => `signal:${name}`),
    ),
  ),
  pair("tag", fc.constantFrom(...Object.entries(TAGS).flatMap(([key, all]) => all.map((value) => `${key}=${value}`)))),
  ...["since", "until", "updated-since", "updated-until", "finished-since", "finished-until"].map((name) =>
    pair(name, time),
  ),
  pair("error", fc.constantFrom("timeout", "NO\\WAY", '"no', "GRößER", "Ü\n", "message", "name", "tail", "e")),
  pair("parent", fc.constantFrom(...PARENTS)),
  pair("schedule", fc.constantFrom(...SCHEDULES)),
  pair("priority", fc.constantFrom("0", "5", "9", "3")),
);

/** What several pairs of one name leave of it. */
const anyFilter: fc.Arbitrary<TaskFilter> = fc
  .array(anyPair, { minLength: 1, maxLength: 4 })
  .map((pairs) => readFilter(pairs).filter)
  .filter((filter) => filterPairs(filter).length > 0);

export function searchContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: searches`, () => {
    const bench = taskBench(create);

    test("a filter finds what it means, in the order of lists, whatever the size of a page", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(randomRecord, { minLength: 30, maxLength: 60 }),
          fc.array(fc.tuple(anyFilter, fc.integer({ min: 1, max: 20 })), { minLength: 30, maxLength: 30 }),
          fc.constantFrom(undefined, { scope: "all", name: "" } as const, { scope: "flow", name: FLOWS[0] } as const),
          async (records, asked, paused) => {
            await bench.place.execute(
              "delete from task_tags; delete from task_steps; delete from tasks; delete from pauses",
            );
            await bench.store.insertTasks(records);
            if (paused)
              await bench.store.pauses.put({
                ...paused,
                id: crypto.randomUUID(),
                reason: null,
                made_by: "me",
                aborts: 0,
              });
            const { pauses } = await bench.store.pauses.read(NOBODY);
            const now = await bench.store.now();
            const told = records.map((record) => withPauses(toTask(record), pauses));
            const tasks = told.toSorted((one, other) => (orderOf(one) < orderOf(other) ? 1 : -1));
            for (const [filter, limit] of asked) {
              const wanted = tasks.filter((task) => matchesFilter(task, filter, now)).map(({ id }) => id);
              expect({ filter, ids: await listAll(bench.store, filter, limit) }).toEqual({ filter, ids: wanted });
              expect({ filter, ids: await searchAll(bench.store, filter, limit) }).toEqual({ filter, ids: wanted });
            }
          },
        ),
        { numRuns: effort({ check: 4, long: 10 }), endOnFailure: true },
      );
    }, 120_000);

    test("a page that lets nothing through says where the next begins, and all pages together find what is last", async () => {
      const last = taskRow({ created_at: T0 - 1, updated_at: T0 + 5 });
      await bench.store.insertTasks([{ task: last, steps: [], calls: [] }]);
      for (let n = 0; n < 3; n++) {
        await bench.store.insertTasks(
          Array.from({ length: 500 }, () => ({ task: taskRow({ updated_at: T0 }), steps: [], calls: [] })),
        );
      }
      await bench.place.execute("delete from pauses");
      const filter: TaskFilter = { updatedSince: new Date(T0 + 1).toISOString() };
      const first = await bench.store.searchTasks({ ...(await rowFilterOf(filter, bench.store)), limit: 100 });
      expect(first.rows).toEqual([]);
      expect(first.next).toBeDefined();
      expect(await searchAll(bench.store, filter, 100)).toEqual([last.id]);
    });

    test("a filter by flow and state merges what is open and what has ended", async () => {
      const records = Array.from({ length: 60 }, (_, n): TaskRecord => {
        const flow_name = `flow_${n % 7}`;
        const ended = { status: "CANCELLED", finished_at: T0 + 99 } as const;
        return { task: taskRow({ flow_name, created_at: T0 + n, ...(n % 2 === 0 && ended) }), steps: [], calls: [] };
      });
      await bench.store.insertTasks(records);
      const ids = (numbers: readonly number[]): string[] => numbers.map((n) => records[n]?.task.id ?? "");
      const newest = Array.from({ length: 60 }, (_, n) => 59 - n);
      expect(await searchAll(bench.store, { status: ["PLANNED", "CANCELLED"] }, 11)).toEqual(ids(newest));
      expect(await searchAll(bench.store, { flow: ["flow_3"] }, 4)).toEqual(ids(newest.filter((n) => n % 7 === 3)));
      expect(await searchAll(bench.store, { status: ["PLANNED"] }, 4)).toEqual(ids(newest.filter((n) => n % 2 === 1)));
    });

    test("tags are searched for as they were created, and as a change leaves them", async () => {
      const find = (tags: Record<string, string>): Promise<readonly string[]> => searchAll(bench.store, { tags }, 10);
      const { task } = await bench.insert(plannedRecord({ tags: toTagsText({ customer: "c1", region: "eu" }) }));
      expect(await find({ customer: "c1" })).toEqual([task.id]);
      const tags = toTagsText({ customer: "c2", region: "eu", step: "paid" });
      expect(await bench.store.commitChanges([changeOf(task, { tags }, { retags: true })])).toEqual([true]);
      expect(await find({ customer: "c1" })).toEqual([]);
      expect(await find({ customer: "c2", step: "paid", region: "eu" })).toEqual([task.id]);
      // a change that loses its fence changes no tags
      const lost = changeOf(task, { tags: toTagsText({ customer: "c3" }) }, { retags: true });
      expect(await bench.store.commitChanges([lost])).toEqual([false]);
      expect(await find({ customer: "c3" })).toEqual([]);
      expect((await bench.store.readTask(task.id))?.task.tags).toBe(tags);
      const [changed] = [changeOf(task, { tags })];
      const fewer = toTagsText({ step: "sent" });
      expect(await bench.store.commitChanges([changeOf(changed.task, { tags: fewer }, { retags: true })])).toEqual([
        true,
      ]);
      expect([await find({ region: "eu" }), await find({ step: "sent" })]).toEqual([[], [task.id]]);
      await bench.place.execute(`${dialect === "sqlite" ? "pragma foreign_keys = on;" : ""} delete from tasks`);
      expect(await bench.place.count("task_tags")).toBe(0);
    });
  });
}

function orderOf({ created_at, id }: { readonly created_at: string; readonly id: string }): string {
  return `${created_at} ${id}`;
}

/** A hundred pages at most. */
async function listAll(store: Store, filter: TaskFilter, limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const page = await listTasks(store, { limit, filter, ...(cursor !== undefined && { cursor }) });
    ids.push(...tasksOf(page).map(({ id }) => id));
    cursor = page.next;
    if (cursor === undefined) return ids;
  }
  throw new Error("The list has no end.");
}

async function searchAll(store: Store, filter: TaskFilter, limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: ListKey | undefined;
  for (let pages = 0; pages < 100; pages++) {
    const page = await store.searchTasks({ ...(await rowFilterOf(filter, store)), limit, ...(after && { after }) });
    ids.push(...page.rows.map(({ id }) => id));
    after = page.next;
    if (after === undefined) return ids;
  }
  throw new Error("The search has no end.");
}

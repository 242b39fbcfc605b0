// What every store must hold to when ended tasks are removed (`src/store/removal-store.ts`).

import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { END_STATUSES, type EndStatus } from "../../src/core/flow/retention.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import { isTerminal, NEXT, type TaskStatus } from "../../src/core/record/status.ts";
import { toTagsText } from "../../src/core/record/tags.ts";
import type { EndedPlace } from "../../src/store/removal-store.ts";
import type { Store } from "../../src/store/store.ts";
import { TABLES } from "../../src/store/tables.ts";
import type { Place } from "./place.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow } from "./rows.ts";
import { taskBench } from "./task-bench.ts";
import { effort } from "../support/effort.ts";

const HOUR_MS = 3_600_000;
const KEPT_MS = 5 * HOUR_MS;
const NONE = { name: null, step_id: null, payload: null, error: null, idempotency_key: null, attempt_epoch: null };
const LONG = JSON.stringify("x".repeat(100_000));
/** The table of tasks, and those whose rows go with theirs. */
const ABOUT_TASKS = TABLES.filter(({ name, key }) => name === "tasks" || key.some((column) => column === "task_id"));

export function removalContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: removal of ended tasks`, () => {
    const bench = taskBench(create);

    const insertAll = async (records: readonly TaskRecord[]): Promise<void> => {
      expect(await bench.store.insertTasks(records)).toEqual(records.map(() => true));
    };
    const isThere = async (id: string): Promise<boolean> => (await bench.store.readTask(id)) !== undefined;
    const rows = async (): Promise<Readonly<Record<string, number>>> => {
      const counts = await Promise.all(ABOUT_TASKS.map(async ({ name }) => [name, await bench.place.count(name)]));
      return Object.fromEntries(counts) as Record<string, number>;
    };

    test("a task goes with all its rows, and no other loses one", async () => {
      const open = plannedRecord();
      await insertAll([open]);
      await bench.store.postToTask({ ...NONE, task_id: open.task.id, kind: "signal", name: "go", payload: LONG });
      const before = await rows();
      const record = plannedRecord({ input_payload: LONG, tags: toTagsText({ customer: "c1" }) });
      const { task } = record;
      const step = stepRow(task.id, { step_index: 3, output_payload: LONG, status: "COMPLETED", outcome_seq: 1 });
      await insertAll([{ ...record, steps: [...record.steps, step], calls: [callRow(step)] }]);
      await bench.store.postToTask({ ...NONE, task_id: task.id, kind: "signal", name: "go", payload: LONG });
      await end(bench.store, task.id);
      for (const [table, count] of Object.entries(await rows()))
        expect(count, table).toBeGreaterThan(before[table] ?? 0);

      expect(await bench.store.removal.removeTasks({ ids: [task.id, open.task.id] })).toEqual({
        kind: "removed",
        count: 1,
      });
      expect(await rows()).toEqual(before);
      expect(await isThere(open.task.id)).toBe(true);
      expect(await bench.store.removal.removeTasks({ ids: [task.id] })).toEqual({ kind: "removed", count: 0 });
    });

    test("in every state but an end a task stays, and so does a child of it", async () => {
      for (const status of Object.keys(NEXT) as TaskStatus[]) {
        const parent = endedRecord({ status });
        const child = endedRecord({ status: "COMPLETED", parent: parent.task.id });
        await insertAll([parent, child]);
        const isEnded = isTerminal(status);
        const { count } = removed(await bench.store.removal.removeTasks({ ids: [child.task.id] }));
        expect({ status, count }).toEqual({ status, count: isEnded ? 1 : 0 });
        const rest = await bench.store.removal.removeTasks({ ids: [parent.task.id, child.task.id] });
        expect({ status, ...rest }).toMatchObject({ status, count: isEnded ? 1 : 0 });
      }
    });

    test("a child goes with its parent, and one whose parent is gone goes by itself", async () => {
      const parent = endedRecord({ status: "COMPLETED" });
      const child = endedRecord({ status: "FAILED", parent: parent.task.id });
      const orphan = endedRecord({ status: "CANCELLED", parent: Bun.randomUUIDv7() });
      await insertAll([parent, child, orphan]);
      const ids = [child, parent, orphan].map(({ task }) => task.id);
      // counted, and nothing more
      expect(await bench.store.removal.removeTasks({ ids, isDryRun: true })).toEqual({ kind: "removed", count: 3 });
      expect(await bench.store.removal.removeTasks({ ids })).toEqual({ kind: "removed", count: 3 });
    });

    test("one worker removes at a time, until its lease has passed", async () => {
      const [first, second] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
      const remove = async (owner: string, ms: number): Promise<unknown> => {
        const record = endedRecord({ status: "COMPLETED" });
        await insertAll([record]);
        const result = await bench.store.removal.removeTasks({ ids: [record.task.id], lease: { owner, ms } });
        expect(await isThere(record.task.id)).toBe(result.kind === "busy");
        return result;
      };
      expect(await remove(first, HOUR_MS)).toEqual({ kind: "removed", count: 1 });
      expect(await remove(second, HOUR_MS)).toEqual({ kind: "busy" });
      expect(await remove(first, 0)).toEqual({ kind: "removed", count: 1 });
      expect(await remove(second, HOUR_MS)).toEqual({ kind: "removed", count: 1 });
      expect(await remove(first, HOUR_MS)).toEqual({ kind: "busy" });
      const byHand = endedRecord({ status: "COMPLETED" });
      await insertAll([byHand]);
      expect(await bench.store.removal.removeTasks({ ids: [byHand.task.id] })).toEqual({ kind: "removed", count: 1 });
    });

    test("a task that was opened again, or ended anew, since it was found stays", async () => {
      const record = endedRecord({ status: "FAILED", agoMs: 6 * HOUR_MS });
      await insertAll([record]);
      const found = await bench.store.removal.findEnded({ flow: "echo_add", status: "FAILED", keptMs: KEPT_MS });
      expect(found).toEqual({ ids: [record.task.id] });
      const opened = changeOf(record.task, inStatus("RUNNING"), { reopens: true });
      expect(await bench.store.commitChanges([opened])).toEqual([true]);
      const { ids } = found;
      expect(await bench.store.removal.removeTasks({ ids, keptMs: KEPT_MS })).toEqual({ kind: "removed", count: 0 });
      const again = changeOf(opened.task, { ...inStatus("FAILED"), finished_at: Date.now() });
      expect(await bench.store.commitChanges([again])).toEqual([true]);
      expect(await bench.store.removal.removeTasks({ ids, keptMs: KEPT_MS })).toEqual({ kind: "removed", count: 0 });
      expect(await bench.store.removal.removeTasks({ ids })).toEqual({ kind: "removed", count: 1 });
    });

    test("a walk passes all that ended, page by page, with few large ones at a time", async () => {
      const small = Array.from({ length: 1500 }, () => endedRecord({ status: "COMPLETED", agoMs: 6 * HOUR_MS }));
      const large = Array.from({ length: 3 }, () =>
        endedRecord({ status: "FAILED", agoMs: 6 * HOUR_MS, bytes: 3 * 1024 * 1024 }),
      );
      const recent = endedRecord({ status: "COMPLETED", agoMs: HOUR_MS });
      await insertAll([...small, ...large, recent]);
      const ofSmall = await walk(bench.store, "echo_add", "COMPLETED");
      expect(ofSmall.map(({ length }) => length)).toEqual([1000, 500]);
      expect(ofSmall.flat().toSorted()).toEqual(small.map(({ task }) => task.id).toSorted());
      expect((await walk(bench.store, "echo_add", "FAILED")).map(({ length }) => length)).toEqual([1, 1, 1]);
      expect(await walk(bench.store, "other", "FAILED")).toEqual([[]]);
    });

    test("the flows of what ended are told once each", async () => {
      expect(await bench.store.removal.listEndedFlows()).toEqual([]);
      await insertAll([
        ...["b", "a", "a"].map((flow) => endedRecord({ status: "FAILED", flow })),
        endedRecord({ status: "COMPLETED", flow: "c" }),
        endedRecord({ status: "RUNNING", flow: "open" }),
      ]);
      expect(await bench.store.removal.listEndedFlows()).toEqual(["a", "b", "c"]);
    });

    test("of random trees of tasks just those go that may, and no row is left behind", async () => {
      await fc.assert(
        fc.asyncProperty(forest, async (nodes) => {
          for (const { name } of ABOUT_TASKS.toReversed()) await bench.place.execute(`delete from ${name}`);
          const records = toRecords(nodes);
          await insertAll(records);
          const gone = new Set<string>();
          // children go before their parents or after them: round by round, as a worker does it every hour
          for (let round = 0; round < 3; round++) {
            const mayGo = records.filter(({ task }) => {
              const parent = records.find((other) => other.task.id === task.parent_task_id)?.task;
              const isFree = !parent || gone.has(parent.id) || parent.finished_at !== null;
              return task.finished_at !== null && task.finished_at <= Date.now() - KEPT_MS && isFree;
            });
            for (const flow of await bench.store.removal.listEndedFlows()) {
              for (const status of END_STATUSES) {
                for (const ids of await walk(bench.store, flow, status)) {
                  await bench.store.removal.removeTasks({ ids, keptMs: KEPT_MS });
                }
              }
            }
            for (const { task } of mayGo) gone.add(task.id);
            const there = await Promise.all(
              records.map(async ({ task }) => [task.id, await isThere(task.id)] as const),
            );
            expect(there).toEqual(records.map(({ task }) => [task.id, !gone.has(task.id)]));
          }
          const kept = records.filter(({ task }) => !gone.has(task.id));
          expect(await rows()).toMatchObject({
            tasks: kept.length,
            task_steps: kept.flatMap(({ steps }) => steps).length,
            tool_calls: kept.flatMap(({ calls }) => calls).length,
          });
        }),
        { numRuns: effort({ check: 10, long: 25 }) },
      );
    });
  });
}

/** All pages; what a page begins with is not in the one before. */
async function walk(store: Store, flow: string, status: EndStatus): Promise<string[][]> {
  const pages: string[][] = [];
  let after: EndedPlace | undefined;
  do {
    const page = await store.removal.findEnded({ flow, status, keptMs: KEPT_MS, ...(after && { after }) });
    pages.push([...page.ids]);
    after = page.next;
  } while (after);
  return pages;
}

function removed(result: Awaited<ReturnType<Store["removal"]["removeTasks"]>>): { readonly count: number } {
  if (result.kind === "busy") throw new Error("Nobody else removes.");
  return result;
}

async function end(store: Store, id: string): Promise<void> {
  const task = (await store.readTask(id))?.task;
  if (!task) throw new Error("It is not there.");
  const running = changeOf(task, inStatus("RUNNING"));
  expect(await store.commitChanges([running])).toEqual([true]);
  expect(await store.commitChanges([changeOf(running.task, inStatus("FAILED"))])).toEqual([true]);
}

interface Ended {
  readonly status: TaskStatus;
  readonly parent?: string | null;
  readonly flow?: string;
  readonly agoMs?: number;
  readonly bytes?: number;
}

/** Of a state that is no end: as it is open. */
function endedRecord({ status, parent = null, flow = "echo_add", agoMs = 0, bytes = 0 }: Ended): TaskRecord {
  const at = Date.now() - agoMs;
  const record = plannedRecord({
    ...inStatus(status),
    finished_at: isTerminal(status) ? at : null,
    parent_task_id: parent,
    parent_step_id: parent,
    flow_name: flow,
    created_at: at - 1000,
    updated_at: at,
    recorded_bytes: bytes,
  });
  const [step] = record.steps;
  return { ...record, calls: step ? [callRow(step)] : [] };
}

interface Node {
  readonly status: TaskStatus;
  readonly isOld: boolean;
  readonly flow: string;
  /** Which of those before it is its parent; beyond them: none. */
  readonly parent: number;
}

const forest: fc.Arbitrary<readonly Node[]> = fc.array(
  fc.record({
    status: fc.constantFrom(...(Object.keys(NEXT) as TaskStatus[])),
    isOld: fc.boolean(),
    flow: fc.constantFrom("a", "b"),
    parent: fc.nat(20),
  }),
  { minLength: 1, maxLength: 15 },
);

function toRecords(nodes: readonly Node[]): TaskRecord[] {
  const records: TaskRecord[] = [];
  for (const { status, isOld, flow, parent } of nodes) {
    const agoMs = (isOld ? 6 : 1) * HOUR_MS;
    records.push(endedRecord({ status, flow, agoMs, parent: records[parent]?.task.id ?? null }));
  }
  return records;
}

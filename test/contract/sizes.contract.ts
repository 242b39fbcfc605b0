// Tasks of any size: what is long is kept apart from the rows, and what is large is read page by page.

import { describe, expect, test } from "bun:test";

import type { StepRow, TaskRecord } from "../../src/core/record/record.ts";
import { NO_STEPS, type StepRange } from "../../src/core/record/step-range.ts";
import { signalOf } from "../../src/engine/task/inbox-posts.ts";
import { LARGE_BYTES, PAGE_ROWS, TOGETHER_BYTES } from "../../src/store/sizes.ts";
import { recordsOf } from "../support/listed.ts";
import type { Place } from "./place.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0, taskRow } from "./rows.ts";
import { taskBench } from "./task-bench.ts";

const MIB = 1024 * 1024;

function longText(name: string, length = 10_000): string {
  return JSON.stringify(`${name} ${"ž".repeat(length)}`);
}

/** Its steps have ended, each with a long output of its own. */
function largeRecord(count: number, over: Parameters<typeof taskRow>[0] = {}): TaskRecord {
  const task = taskRow({ status: "RUNNING", version: 2, recorded_bytes: LARGE_BYTES + 1, ...over });
  const steps = Array.from({ length: count }, (_, index) =>
    stepRow(task.id, {
      step_index: index + 1,
      status: "COMPLETED",
      input_payload: longText(`in ${index % 7}`),
      output_payload: index % 2 === 0 ? longText(`out ${index}`) : `${index}`,
      outcome_seq: index + 1,
      execution: "at-least-once",
      attempt_epoch: 2,
      starts: 1,
      due_at: T0 + index,
      observed_at: T0 + index,
    }),
  );
  const calls = steps.map((step) =>
    callRow(step, {
      status: "COMPLETED",
      response_payload: step.output_payload,
      last_error: '{"message":"once"}',
      retry_count: 1,
      attempt_epoch: 2,
      finished_at: T0 + 5,
    }),
  );
  return { task, steps, calls };
}

export function sizeContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: sizes`, () => {
    const bench = taskBench(create);
    const { insert } = bench;

    test("of a large task steps are read alone, with what tells what the task waits for, and their number", async () => {
      const count = 3 * PAGE_ROWS;
      const record = largeRecord(count, { observed_count: count });
      const open = { output_payload: null, outcome_seq: null, observed_at: null };
      const special: Readonly<Record<number, Partial<StepRow>>> = {
        7: { ...open, status: "RUNNING", doubt: '{"message":"Its worker died."}' },
        8: { ...open, status: "RUNNING" },
        9: { ...open, status: "PLANNED", kind: "sleep", target: null, execution: null },
        10: { ...open, status: "PLANNED" },
        11: { ...open, status: "PLANNED", due_at: null },
        12: { outcome_seq: count + 1, observed_at: null },
      };
      const steps = record.steps.map((step) => ({ ...step, ...special[step.step_index] }));
      const called = record.calls.filter(({ task_step_id: of }) => steps.find(({ id }) => id === of)?.kind === "tool");
      const whole = await insert({ ...record, steps, calls: called });
      const { id } = whole.task;
      const read = async (range: StepRange): Promise<TaskRecord> => {
        const part = await bench.store.readTask(id, { steps: range });
        if (!part) throw new Error("It is there.");
        return part;
      };
      const indexesOf = ({ steps: told }: TaskRecord): readonly number[] => told.map(({ step_index }) => step_index);
      const always = [7, 8, 9, 10, 12];
      const part = await read({ from: 301, to: 310 });
      expect(indexesOf(part)).toEqual([...always, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310]);
      expect(part.stepCount).toBe(count);
      // the same rows as in the whole record, with their calls
      const told = new Set(part.steps.map((step) => step.id));
      const all = await bench.store.readTask(id);
      expect(part.steps).toEqual(all?.steps.filter((step) => told.has(step.id)) ?? []);
      expect(part.calls).toEqual(all?.calls.filter((call) => told.has(call.task_step_id)) ?? []);
      expect([all?.stepCount, all?.steps.length]).toEqual([undefined, count]);
      expect(indexesOf(await read("last"))).toEqual([...always, count]);
      expect(indexesOf(await read(NO_STEPS))).toEqual(always);
      const [listed] = recordsOf(await bench.store.listTasks({ limit: 1, steps: "last" }));
      expect([listed && indexesOf(listed), listed?.stepCount]).toEqual([[...always, count], count]);
    });

    test("a lean reading leaves long payloads where they are, and tells all else", async () => {
      const error = JSON.stringify({ name: "Error", message: "no", fields: { text: "ž".repeat(10_000) } });
      const large = largeRecord(3);
      const small = largeRecord(3, { recorded_bytes: 0, created_at: T0 - 1 });
      for (const record of [large, small]) {
        const calls = record.calls.map((call) => ({ ...call, last_error: error }));
        await insert({ ...record, calls });
        const listed = await bench.store.listTasks({ limit: 10, isLean: true });
        const read = [
          await bench.store.readTask(record.task.id, { isLean: true }),
          recordsOf(listed).find(({ task }) => task.id === record.task.id),
        ];
        for (const lean of read) {
          expect(lean?.calls.map(({ last_error }) => last_error)).toEqual(calls.map(({ last_error }) => last_error));
          expect(lean?.steps.map(({ id, status }) => [id, status])).toEqual(
            record.steps.map(({ id, status }) => [id, status]),
          );
          expect(JSON.stringify([lean?.steps, lean?.calls]).length).toBeLessThan(60_000);
          for (const { input_payload } of lean?.steps ?? [])
            expect((): unknown => JSON.parse(input_payload)).not.toThrow();
        }
      }
    });

    test("a large task is read page by page, and is the same as a small one, column by column", async () => {
      const large = await insert(largeRecord(PAGE_ROWS + 3));
      expect(await bench.store.readTask(large.task.id)).toEqual(large);
      expect(await bench.store.readTaskRow(large.task.id)).toEqual(large.task);
      expect(recordsOf(await bench.store.listTasks({ limit: 1 }))).toEqual([large]);
      const small = await insert(largeRecord(3, { recorded_bytes: 0 }));
      expect(await bench.store.readTask(small.task.id)).toEqual(small);
      expect(await bench.store.readTaskRow(crypto.randomUUID())).toBeUndefined();
    });

    test("the same text is kept once for a task, whatever columns have it, and goes with the task", async () => {
      const { task, steps } = largeRecord(1);
      const [step] = steps as [StepRow];
      const text = step.output_payload ?? "";
      await insert({
        task: { ...task, input_payload: text },
        steps: [step],
        calls: [callRow(step, { request_payload: text })],
      });
      const ended = { ...inStatus("COMPLETED"), input_payload: text, output_payload: text };
      expect(await bench.store.commitChanges([changeOf(task, ended)])).toEqual([true]);
      expect(await bench.place.count("payloads")).toBe(2); // and the step's input
      expect((await bench.store.readTask(task.id))?.task.output_payload).toBe(text);
      const cascade = dialect === "sqlite" ? "pragma foreign_keys = on;" : "";
      await bench.place.execute(`${cascade} delete from tasks where id = '${task.id}'`);
      expect(await bench.place.count("payloads")).toBe(0);
    });

    test("nothing is kept of a write that was lost, nor for a task that is there already", async () => {
      const { task } = await insert(plannedRecord());
      const won = changeOf(task, { ...inStatus("COMPLETED"), version: 9, output_payload: longText("lost") });
      const lost = { ...won, expectedVersion: 7 };
      expect(await bench.store.commitChanges([lost])).toEqual([false]);
      const again = plannedRecord({ id: task.id, input_payload: longText("again") });
      expect(await bench.store.insertTasks([again])).toEqual([false]);
      expect(await bench.place.count("payloads")).toBe(0);
    });

    test("what is long is posted, compared with what the same key has posted before, and read from the inbox", async () => {
      const { task } = await insert(plannedRecord());
      const payload = longText("signal");
      const post = signalOf(task.id, "go", payload, "key");
      expect(await bench.store.postToTask(post)).toEqual({ kind: "posted" });
      expect(await bench.store.postToTask(post)).toEqual({ kind: "duplicate", same: true });
      const other = { ...post, payload: longText("other") };
      expect(await bench.store.postToTask(other)).toEqual({ kind: "duplicate", same: false });
      expect(await bench.store.postToTask({ ...other, task_id: crypto.randomUUID() })).toEqual({ kind: "refused" });
      expect(
        (await bench.store.readInbox(task.id, { names: ["go"], after: 0 })).rows.map((row) => row.payload),
      ).toEqual([payload]);

      const [first, second] = [await insert(plannedRecord()), await insert(plannedRecord())];
      const changes = [first, second].map((from, index) => {
        const to = index === 0 ? task.id : crypto.randomUUID(); // one that is gone hears nothing
        return changeOf(
          from.task,
          {},
          { posts: [{ ...post, task_id: to, idempotency_key: null, payload: longText("told") }] },
        );
      });
      expect(await bench.store.commitChanges(changes)).toEqual([true, true]);
      expect(
        (await bench.store.readInbox(task.id, { names: ["go"], after: 0 })).rows.map((row) => row.payload),
      ).toEqual([payload, longText("told")]);
    });

    test("one claim leases no more than fits together, or one task; a large one comes bare", async () => {
      const workerId = crypto.randomUUID();
      await bench.store.registerWorker({ id: workerId, name: "w", leaseMs: 60_000, concurrency: 9 });
      const sizes = [TOGETHER_BYTES + 1, LARGE_BYTES + 1, LARGE_BYTES, TOGETHER_BYTES - MIB, 10];
      const records = sizes.map((recorded_bytes, index) => plannedRecord({ recorded_bytes, due_at: T0 + index }));
      for (const record of records) await insert(record);
      const flows = [{ name: "echo_add", limit: 9, heldMax: null }];
      const claims = [];
      for (let times = 0; times < 4; times++) {
        claims.push(await bench.store.claimTasks({ workerId, limit: 9, flows, deadOwners: [] }));
      }
      const told = claims.map(({ tasks, isCut = false }) => ({
        isCut,
        tasks: tasks.map(({ record, isBare = false }) => [
          sizes.indexOf(record.task.recorded_bytes),
          isBare,
          record.steps.length,
        ]),
      }));
      expect(told).toEqual([
        { isCut: true, tasks: [[0, true, 0]] },
        {
          isCut: true,
          tasks: [
            [1, true, 0],
            [2, false, 2],
          ],
        },
        {
          isCut: false,
          tasks: [
            [3, true, 0],
            [4, false, 2],
          ],
        },
        { isCut: false, tasks: [] },
      ]);
      const bare = claims[1]?.tasks[0]?.record.task;
      const whole = await bench.store.readTask(bare?.id ?? "");
      expect(whole as unknown).toEqual({ task: bare, steps: records[1]?.steps, calls: [] });
    });

    test("any number of tasks comes back to the queue, with turns of the event loop between", async () => {
      const dead = crypto.randomUUID();
      const parked = Array.from({ length: 1_001 }, () => plannedRecord({ parked_reason: "why", parked_code: "old" }));
      const orphans = Array.from({ length: 1_001 }, () => plannedRecord({ lease_owner: dead, due_at: T0 }));
      await bench.store.insertTasks([...parked, ...orphans]);
      let isRunning = true;
      let turns = 0;
      const count = (): void => {
        turns += 1;
        if (isRunning) setImmediate(count);
      };
      setImmediate(count);
      expect(await bench.store.unparkTasks([{ name: "echo_add", code: "new" }])).toBe(1_001);
      expect(await bench.store.releaseOrphans()).toBe(1_001);
      isRunning = false;
      expect(turns).toBeGreaterThanOrEqual(4);
      expect((await bench.store.readTaskRow(parked[500]?.task.id ?? ""))?.parked_reason).toBeNull();
      expect((await bench.store.readTaskRow(orphans[500]?.task.id ?? ""))?.lease_owner).toBeNull();
    });

    test("a page of a list ends where it would hold too much, and the next one begins there", async () => {
      const sizes = [10, TOGETHER_BYTES - MIB, LARGE_BYTES, LARGE_BYTES, TOGETHER_BYTES + 1, 10];
      for (const [index, recorded_bytes] of sizes.entries()) {
        await insert(plannedRecord({ recorded_bytes, created_at: T0 - index }));
      }
      const pages: number[] = [];
      const seen: number[] = [];
      for (let list = await bench.store.listTasks({ limit: 5 }); ;) {
        pages.push(list.tasks.length);
        seen.push(...recordsOf(list).map(({ task }) => task.recorded_bytes));
        if (!list.next) break;
        list = await bench.store.listTasks({ limit: 5, after: list.next });
      }
      expect(seen).toEqual(sizes);
      expect(pages).toEqual([2, 2, 1, 1]);
    });
  });
}

// What every store must hold to (`src/store/store.ts`), whatever lies beneath: tasks as they are inserted, read and
// listed, and what is posted to them.

import { describe, expect, test } from "bun:test";

import type { StepRow, TaskRecord, TaskRow, ToolCallRow } from "../../src/core/record/record.ts";
import type { TaskStatus } from "../../src/core/record/status.ts";
import { parseTaskName } from "../../src/core/record/task-names.ts";
import { type BriefRow, INBOX_PAGE, type InboxPost } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import type { Place } from "./place.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0, taskRow } from "./rows.ts";
import { expectRefused, taskBench } from "./task-bench.ts";
import { recordsOf } from "../support/listed.ts";

/** A server's clock is not quite this machine's. */
const CLOCK_MS = 5000;

export function taskContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: tasks`, () => {
    const bench = taskBench(create);
    const { insert } = bench;

    test("a task is read as it was inserted, whole and column by column", async () => {
      const task = taskRow({
        status: "WAITING_OBSERVATION",
        version: 7,
        current_step: 2,
        observed_count: 1,
        lease_owner: crypto.randomUUID(),
        due_at: T0 + 1001,
        priority: 9,
        wake_seq: 3,
        updated_at: T0 + 5,
      });
      const steps = [
        stepRow(task.id, { step_index: 2, status: "RUNNING", starts: 2, doubt: '{"b": 1, "a":2}', due_at: T0 + 3 }),
        stepRow(task.id, { step_index: 1, status: "COMPLETED", output_payload: "{}", outcome_seq: 1, observed_at: T0 }),
        stepRow(task.id, { step_index: 3, status: "FAILED", error: '{"message":"no"}', outcome_seq: 2 }),
      ] as const;
      const calls = [
        callRow(steps[2], {
          status: "FAILED",
          error: "{}",
          last_error: '{"m":1}',
          retry_count: 2,
          progress: null,
          finished_at: T0 + 4,
        }),
        callRow(steps[1], { status: "COMPLETED", response_payload: "{}", finished_at: T0 + 4 }),
        callRow(steps[0], { created_at: T0 }),
      ] as const;
      await insert({ task, steps, calls });
      expect(await bench.store.readTask(task.id)).toEqual({
        task,
        steps: [steps[1], steps[0], steps[2]],
        calls: [calls[2], calls[1], calls[0]],
      });
    });

    test("a row of which one column alone is not as usual keeps it", async () => {
      const rows: readonly Partial<TaskRow>[] = [
        { version: 2 },
        { current_step: 1 },
        { observed_count: 1 },
        { wake_seq: 1 },
        { lease_owner: crypto.randomUUID() },
        { parked_reason: "why" },
        { parked_reason: "why", parked_code: "code" },
        { flow_code: "code" },
        { flow_file: "/flows/größe's.ts" },
        { cancelled_after: 1 },
        { cancelled_at: T0 + 1 },
        { priority: 0 },
        { depth: 3 },
        { parent_task_id: crypto.randomUUID() },
        { parent_step_id: crypto.randomUUID() },
      ];
      const steps: readonly Partial<StepRow>[] = [{ attempt_epoch: 1 }, { starts: 1 }, { due_at: T0 + 1 }];
      const calls: readonly Partial<ToolCallRow>[] = [{ retry_count: 1 }, { attempt_epoch: 1 }, { last_error: "{}" }];
      const records: TaskRecord[] = rows.map((row) => ({ task: taskRow(row), steps: [], calls: [] }));
      for (const over of steps) {
        const task = taskRow({});
        records.push({ task, steps: [stepRow(task.id, { step_index: 1, ...over })], calls: [] });
      }
      for (const over of calls) {
        const task = taskRow({ status: "RUNNING", version: 2 });
        const step = stepRow(task.id, { step_index: 1 });
        records.push({ task, steps: [step], calls: [callRow(step, over)] });
      }
      for (const record of records) {
        await insert(record);
        expect(await bench.store.readTask(record.task.id)).toEqual(record);
      }
    });

    test("tasks are found by the beginning of their ids, in order, and one more than is told of at most", async () => {
      const ids = Array.from(
        { length: 13 },
        (_, n) => `019ab2c4-5d6e-7f80-9a1b-2c3d4e5f60${String(n).padStart(2, "0")}`,
      );
      for (const id of ids.toReversed()) await insert({ task: taskRow({ id }), steps: [], calls: [] });
      const other = taskRow({ id: "019ab2c4-5d6f-7f80-9a1b-2c3d4e5f6000", parked_reason: "why", flow_name: "order" });
      await insert({ task: other, steps: [], calls: [] });
      const find = (text: string): Promise<readonly BriefRow[]> => bench.store.findTasks(parseTaskName(text));
      expect((await find("019ab2c4-5d6e")).map(({ id }) => id)).toEqual(ids.slice(0, 11));
      expect((await find("019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6012")).map(({ id }) => id)).toEqual(ids.slice(12));
      expect(await find("019ab2c4-5d6f")).toEqual([
        { id: other.id, flow_name: "order", status: other.status, parked_reason: "why", created_at: other.created_at },
      ]);
      expect(await find("019ab2c5")).toEqual([]);
    });

    test("the last task is the newest that is no child, of a flow where one is named", async () => {
      expect(await bench.store.findTasks({ kind: "last", flow: null })).toEqual([]);
      const rows = [
        taskRow({ flow_name: "old", created_at: T0 }),
        taskRow({ flow_name: "order", created_at: T0 + 1 }),
        taskRow({ flow_name: "ship", created_at: T0 + 2, parent_task_id: crypto.randomUUID() }),
      ];
      for (const task of rows) await insert({ task, steps: [], calls: [] });
      const last = async (flow: string | null): Promise<readonly string[]> =>
        (await bench.store.findTasks({ kind: "last", flow })).map(({ flow_name }) => flow_name);
      expect(await last(null)).toEqual(["order"]);
      expect(await last("old")).toEqual(["old"]);
      expect(await last("ship")).toEqual([]);
    });

    test("a glance at tasks tells who holds them, when they are due and when they ended, of those that exist", async () => {
      const [due, held, ended] = [
        taskRow({ due_at: T0 + 5 }),
        taskRow({ lease_owner: crypto.randomUUID(), due_at: T0 }),
        taskRow({ status: "COMPLETED", output_payload: "1", finished_at: T0 + 9 }),
      ];
      for (const task of [due, held, ended]) await insert({ task, steps: [], calls: [] });
      const seen = await bench.store.glance([ended.id, crypto.randomUUID(), due.id, held.id]);
      const toGlance = ({ id, finished_at, due_at, lease_owner }: TaskRow): object => ({
        id,
        finished_at,
        due_at,
        lease_owner,
      });
      const byId = (a: { id?: string }, b: { id?: string }): number => ((a.id ?? "") < (b.id ?? "") ? -1 : 1);
      expect(seen.toSorted(byId)).toEqual([due, held, ended].map(toGlance).toSorted(byId) as (typeof seen)[number][]);
      expect(await bench.store.glance([])).toEqual([]);
    });

    test("a task that does not exist reads as undefined", async () => {
      expect(await bench.store.readTask(crypto.randomUUID())).toBeUndefined();
    });

    test("JSON keeps its text, whatever it holds", async () => {
      const texts = [
        '{"b": 1,\n "a":1.50, "a":2, "10":0, "2":0}',
        String.raw`{"nul":"\u0000","lone":"\ud800","pair":"\ud83d\ude00","quote":"\"\\\/"}`,
        '{"text":"žluťoučký 😀 \u2028 \'; drop table tasks; --"}',
        "null",
        '"null"',
        "9007199254740993",
        "1e400",
        `"${"x".repeat(1024 * 1024)}"`,
        `${"[".repeat(250)}${"]".repeat(250)}`,
      ];
      for (const text of texts) {
        const task = taskRow({ input_payload: text });
        const step = stepRow(task.id, { input_payload: text });
        await insert({ task, steps: [step], calls: [] });
        const call = callRow(step, {
          request_payload: text,
          response_payload: text,
          last_error: text,
          status: "COMPLETED",
          finished_at: T0,
        });
        const done = { ...step, status: "COMPLETED", output_payload: text, outcome_seq: 1 } as const;
        const change = changeOf(
          task,
          { ...inStatus("COMPLETED"), output_payload: text },
          { newCalls: [call], changedSteps: [done] },
        );
        expect(await bench.store.commitChanges([change])).toEqual([true]);
        expect(await bench.store.readTask(task.id)).toEqual({ task: change.task, steps: [done], calls: [call] });
      }
    });

    test("a task is parked for any reason, with NUL and lone surrogates made visible", async () => {
      const reason = "It said \0, \ud800 and 😀.";
      const stored = "It said ␀, � and 😀.";
      const { task } = await insert(plannedRecord());
      expect(await bench.store.commitChanges([changeOf(task, { parked_reason: reason })])).toEqual([true]);
      expect((await bench.store.readTask(task.id))?.task.parked_reason).toBe(stored);
      const parked = plannedRecord({ parked_reason: reason });
      expect(await bench.store.insertTasks([parked])).toEqual([true]);
      expect((await bench.store.readTask(parked.task.id))?.task.parked_reason).toBe(stored);
    });

    test("a task whose id exists is left as it is, in a batch and within one", async () => {
      const old = await insert(plannedRecord());
      const fresh = plannedRecord();
      const again = { ...plannedRecord({ id: old.task.id, flow_name: "other" }) };
      expect(await bench.store.insertTasks([again, fresh, fresh])).toEqual([false, true, false]);
      expect(await bench.store.readTask(old.task.id)).toEqual(old);
      expect(await bench.store.readTask(fresh.task.id)).toEqual(fresh);
      expect(await bench.store.insertTasks([])).toEqual([]);
    });

    test("what is posted to a task waits in its inbox, as it was posted, until it is dealt with", async () => {
      const { task, steps } = await insert(plannedRecord());
      const nothing = { task_id: task.id, name: null, step_id: null, payload: null, error: null, attempt_epoch: null };
      const step_id = steps[0]?.id ?? "";
      const posts: InboxPost[] = [
        { ...nothing, kind: "signal", name: "go", payload: '{"b":1, "a":2}', idempotency_key: "key" },
        { ...nothing, kind: "resolve", step_id, payload: "1", attempt_epoch: 3, idempotency_key: null },
        { ...nothing, kind: "resolve", step_id, error: '{"message":"no"}', attempt_epoch: 0, idempotency_key: null },
        { ...nothing, kind: "resolve", step_id, attempt_epoch: 0, idempotency_key: null },
        { ...nothing, kind: "child", step_id, payload: "2", idempotency_key: null },
        { ...nothing, kind: "cancel", idempotency_key: null },
      ];
      for (const post of posts) expect(await bench.store.postToTask(post)).toEqual({ kind: "posted" });
      const { wakeSeq, rows } = await bench.store.readInbox(task.id, { names: ["go"], after: 0 });
      expect(wakeSeq).toBe(posts.length);
      const created_at = expect.any(Number) as number;
      expect(rows).toEqual(posts.map((post, index) => ({ ...post, seq: index + 1, created_at })));
      expect(await bench.store.commitChanges([changeOf(task, {}, { consumed: [1, 3] })])).toEqual([true]);
      expect((await bench.store.readInbox(task.id, { names: ["go"], after: 0 })).rows.map(({ seq }) => seq)).toEqual([
        2, 4, 5, 6,
      ]);
      const refused: InboxPost[] = [
        { ...nothing, kind: "resolve", attempt_epoch: 0, idempotency_key: null },
        { ...nothing, kind: "resolve", step_id, idempotency_key: null },
        { ...nothing, kind: "signal", name: "go", attempt_epoch: 0, idempotency_key: null },
      ];
      for (const post of refused) await expectRefused(bench.store.postToTask(post));
    });

    test("an inbox is read by pages: what is asked for in order of arrival, and a cancel at once", async () => {
      const { task, steps } = await insert(plannedRecord());
      const nothing = { task_id: task.id, step_id: null, payload: null, error: null, attempt_epoch: null };
      const none = { ...nothing, name: null, idempotency_key: null };
      const signal = (name: string): InboxPost => ({ ...nothing, kind: "signal", name, idempotency_key: null });
      const post = async (each: InboxPost): Promise<void> => {
        expect(await bench.store.postToTask(each)).toEqual({ kind: "posted" });
      };
      // 1 to 30 for "other", then 31, 32, 33, … in turns for "go", for the end of a child, for "stop"
      for (let n = 0; n < 30; n++) await post(signal("other"));
      for (let n = 0; n < INBOX_PAGE; n++) {
        await post(signal("go"));
        await post({ ...none, kind: "child", step_id: steps[0]?.id ?? "", payload: "1" });
        await post(signal("stop"));
      }
      await post({ ...none, kind: "cancel" });
      await post({ ...none, kind: "cancel" });
      const last = 30 + 3 * INBOX_PAGE;
      const seqsOf = async (names: string[], after = 0): Promise<[number[], number | null]> => {
        const { wakeSeq, rows, next } = await bench.store.readInbox(task.id, { names, after });
        expect(wakeSeq).toBe(last + 2);
        return [rows.map(({ seq }) => seq), next];
      };
      const turns = Array.from({ length: 3 * INBOX_PAGE }, (_, n) => n + 31);
      const others = turns.filter((seq) => seq % 3 !== 0);
      expect(others).toHaveLength(2 * INBOX_PAGE);
      const page = others.slice(0, INBOX_PAGE);
      expect(await seqsOf(["go"])).toEqual([[...page, last + 1], page.at(-1) ?? 0]);
      const rest = others.slice(INBOX_PAGE);
      expect(await seqsOf(["go", "none"], page.at(-1))).toEqual([[...rest, last + 1], rest.at(-1) ?? 0]);
      expect(await seqsOf(["go"], rest.at(-1))).toEqual([[last + 1, last + 2], null]);
      expect(await seqsOf([], last + 2)).toEqual([[], null]);
    });

    test("rows that the state rules forbid are refused", async () => {
      const id = Bun.randomUUIDv7();
      const step = stepRow(id);
      const tasks = [
        taskRow({ id, status: "COMPLETED", finished_at: T0 }),
        taskRow({ id, output_payload: "1" }),
        taskRow({ id, status: "FAILED", finished_at: T0 }),
        taskRow({ id, error: "{}" }),
        taskRow({ id, status: "CANCELLED" }),
        taskRow({ id, finished_at: T0 }),
        taskRow({ id, ...inStatus("CANCELLED"), lease_owner: id }),
        taskRow({ id, ...inStatus("CANCELLED"), due_at: T0 }),
        taskRow({ id, ...inStatus("CANCELLED"), parked_reason: "why" }),
        taskRow({ id, parked_reason: "why", due_at: T0 }),
        taskRow({ id, parked_code: "code" }),
        taskRow({ id, version: 0 }),
        taskRow({ id, priority: 10 }),
        taskRow({ id, current_step: -1 }),
        taskRow({ id, status: "DONE" as TaskStatus }),
      ];
      const steps = [
        { ...step, step_index: 0 },
        { ...step, kind: "else" as "tool" },
        { ...step, status: "COMPLETED", outcome_seq: 1 } as const,
        { ...step, output_payload: "1" },
        { ...step, status: "FAILED", outcome_seq: 1 } as const,
        { ...step, error: "{}" },
        { ...step, status: "COMPLETED", output_payload: "1" } as const,
        { ...step, outcome_seq: 1 },
        { ...step, observed_at: T0 },
        { ...step, starts: -1 },
        { ...step, doubt: "{}" },
      ];
      const calls = [
        callRow(step, { status: "COMPLETED", finished_at: T0 }),
        callRow(step, { response_payload: "1" }),
        callRow(step, { status: "FAILED", finished_at: T0 }),
        callRow(step, { error: "{}" }),
        callRow(step, { finished_at: T0 }),
        callRow(step, { status: "COMPLETED", response_payload: "1" }),
        callRow(step, { retry_count: -1 }),
      ];
      const task = taskRow({ id });
      const forbidden: TaskRecord[] = [
        ...tasks.map((row) => ({ task: row, steps: [], calls: [] })),
        ...steps.map((row) => ({ task, steps: [row], calls: [] })),
        ...calls.map((row) => ({ task, steps: [step], calls: [row] })),
      ];
      for (const record of forbidden) await expectRefused(bench.store.insertTasks([record]));
      expect(await bench.store.readTask(id)).toBeUndefined();
    });

    test("a list is newest first, in pages, also where tasks were created at the same time", async () => {
      const times = [T0, T0, T0 + 1, T0 + 1, T0 + 1, T0 + 2, T0 - 5, T0];
      const records = times.map((created_at) => plannedRecord({ created_at }));
      await bench.store.insertTasks(records);
      const expected = records.toSorted(({ task: a }, { task: b }) =>
        a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : b.created_at - a.created_at,
      );
      expect(recordsOf(await bench.store.listTasks({ limit: 1000 }))).toEqual(expected);
      for (const limit of [1, 3]) {
        const found: TaskRecord[] = [];
        for (let pages = 0; pages < times.length + 1; pages++) {
          const last = found.at(-1)?.task;
          const after = last && { createdAt: last.created_at, id: last.id };
          const list = await bench.store.listTasks({ limit, ...(after && { after }) });
          const page = recordsOf(list);
          expect(page.length).toBeLessThanOrEqual(limit);
          found.push(...page);
          expect(list.next !== undefined).toBe(found.length < expected.length);
          if (!list.next) break;
        }
        expect(found).toEqual(expected);
      }
    });

    test("a closed store says so", async () => {
      const other = await openStore(bench.place.address);
      await other.listTasks({ limit: 1 });
      await other.close();
      await other.close();
      await expect(other.listTasks({ limit: 1 })).rejects.toMatchObject({ code: "shutting_down" });
    });

    test("time runs in milliseconds since 1970", async () => {
      const asked = Date.now();
      const now = await bench.store.now();
      expect(now).toBeWithin(asked - CLOCK_MS, Date.now() + CLOCK_MS);
      expect(now).toBeInteger();
    });
  });
}

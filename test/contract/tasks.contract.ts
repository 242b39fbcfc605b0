// What every store must hold to (`src/store/store.ts`), whatever lies beneath: reading and writing tasks.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import type { TaskRecord } from "../../src/core/record.ts";
import { NEXT, type TaskStatus } from "../../src/core/status.ts";
import type { InboxPost, Store } from "../../src/store/store.ts";
import { migrate, openStore, type Place } from "./place.ts";
import { runTogether, startChild } from "./process.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0, taskRow } from "./rows.ts";

export function taskContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: tasks`, () => {
    let place: Place;
    let store: Store;

    beforeEach(async () => {
      place = await create();
      await migrate(place.address);
      store = await openStore(place.address);
    });

    afterEach(async () => {
      await store.close();
      await place.drop();
    });

    const insert = async (record: TaskRecord): Promise<TaskRecord> => {
      expect(await store.insertTasks([record])).toEqual([true]);
      return record;
    };

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
          finished_at: T0 + 4,
        }),
        callRow(steps[1], { status: "COMPLETED", response_payload: "{}", finished_at: T0 + 4 }),
        callRow(steps[0], { created_at: T0 }),
      ] as const;
      await insert({ task, steps, calls });
      expect(await store.readTask(task.id)).toEqual({
        task,
        steps: [steps[1], steps[0], steps[2]],
        calls: [calls[2], calls[1], calls[0]],
      });
    });

    test("a task that does not exist reads as undefined", async () => {
      expect(await store.readTask(crypto.randomUUID())).toBeUndefined();
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
        expect(await store.commitChanges([change])).toEqual([true]);
        expect(await store.readTask(task.id)).toEqual({ task: change.task, steps: [done], calls: [call] });
      }
    });

    test("a task is parked for any reason, with NUL and lone surrogates made visible", async () => {
      const reason = "It said \0, \ud800 and 😀.";
      const stored = "It said ␀, � and 😀.";
      const { task } = await insert(plannedRecord());
      expect(await store.commitChanges([changeOf(task, { parked_reason: reason })])).toEqual([true]);
      expect((await store.readTask(task.id))?.task.parked_reason).toBe(stored);
      const parked = plannedRecord({ parked_reason: reason });
      expect(await store.insertTasks([parked])).toEqual([true]);
      expect((await store.readTask(parked.task.id))?.task.parked_reason).toBe(stored);
    });

    test("a task whose id exists is left as it is, in a batch and within one", async () => {
      const old = await insert(plannedRecord());
      const fresh = plannedRecord();
      const again = { ...plannedRecord({ id: old.task.id, flow_name: "other" }) };
      expect(await store.insertTasks([again, fresh, fresh])).toEqual([false, true, false]);
      expect(await store.readTask(old.task.id)).toEqual(old);
      expect(await store.readTask(fresh.task.id)).toEqual(fresh);
      expect(await store.insertTasks([])).toEqual([]);
    });

    test("a change writes the task and all its rows", async () => {
      const { task, steps } = await insert(plannedRecord());
      const [one, two] = steps as [(typeof steps)[0], (typeof steps)[0]];
      const running = callRow(two);
      const first = changeOf(
        task,
        { status: "RUNNING", version: 4, lease_owner: crypto.randomUUID(), due_at: T0 + 5, priority: 0, wake_seq: 99 },
        { newCalls: [running], changedSteps: [{ ...two, status: "RUNNING" }] },
      );
      expect(await store.commitChanges([first])).toEqual([true]);
      const done = {
        ...two,
        status: "COMPLETED",
        output_payload: "1",
        outcome_seq: 1,
        observed_at: T0 + 6,
        starts: 3,
      } as const;
      const doubtful = { ...one, status: "RUNNING", doubt: '{"message":"who knows"}', due_at: T0 + 7 } as const;
      const third = stepRow(task.id, { step_index: 3 });
      const ended = {
        ...running,
        status: "COMPLETED",
        response_payload: "1",
        retry_count: 2,
        last_error: '"x"',
      } as const;
      const second = changeOf(
        first.task,
        {
          status: "WAITING_OBSERVATION",
          lease_owner: null,
          due_at: null,
          parked_reason: "why",
          parked_code: "code",
          current_step: 2,
        },
        {
          newSteps: [third],
          changedSteps: [done, doubtful],
          newCalls: [callRow(one, { created_at: T0 + 7 })],
          changedCalls: [{ ...ended, started_at: T0 + 4, finished_at: T0 + 8 }],
        },
      );
      expect(await store.commitChanges([second])).toEqual([true]);
      expect(await store.readTask(task.id)).toEqual({
        // Outsiders own wake_seq: a driver does not write it.
        task: { ...second.task, wake_seq: 0 },
        steps: [doubtful, done, third],
        calls: [...second.changedCalls, ...second.newCalls],
      });
    });

    test("a change without the task's version or owner writes nothing", async () => {
      const owner = crypto.randomUUID();
      const held = await insert(plannedRecord({ lease_owner: owner, version: 5 }));
      const free = await insert(plannedRecord());
      const lost = [
        { ...changeOf(held.task), expectedVersion: 4 },
        { ...changeOf(held.task), expectedOwner: null },
        { ...changeOf(held.task), expectedOwner: crypto.randomUUID() },
        { ...changeOf(free.task), expectedOwner: owner },
        changeOf(taskRow()),
      ];
      for (const change of lost) {
        const steps = [stepRow(change.taskId, { step_index: 9 })];
        const newCalls = steps.map((step) => callRow(step));
        expect(await store.commitChanges([{ ...change, newSteps: steps, newCalls }])).toEqual([false]);
      }
      expect(await store.readTask(held.task.id)).toEqual(held);
      expect(await store.readTask(free.task.id)).toEqual(free);
    });

    test("in a batch those that lost write nothing, and the others everything", async () => {
      const records = await Promise.all(Array.from({ length: 40 }, () => insert(plannedRecord())));
      const changes = records.map(({ task, steps: [step] }, index) => {
        if (!step) throw new Error("no step");
        const change = changeOf(
          task,
          { status: "RUNNING" },
          { changedSteps: [{ ...step, status: "RUNNING" }], newCalls: [callRow(step)] },
        );
        return index % 3 === 0 ? { ...change, expectedVersion: 0 } : change;
      });
      expect(await store.commitChanges(changes)).toEqual(records.map((_, index) => index % 3 !== 0));
      for (const [index, { task }] of records.entries()) {
        const record = await store.readTask(task.id);
        const found = { task: record?.task.status, step: record?.steps[0]?.status, calls: record?.calls.length };
        const state = index % 3 === 0 ? "PLANNED" : "RUNNING";
        expect(found).toEqual({ task: state, step: state, calls: index % 3 === 0 ? 0 : 1 });
      }
      expect(await store.commitChanges([])).toEqual([]);
    });

    test("a batch that the database refuses is refused whole, and so is one that names rows which are not there", async () => {
      const good = await insert(plannedRecord());
      const bad = await insert(plannedRecord());
      const [step] = bad.steps;
      if (!step) throw new Error("no step");
      const refused = [
        changeOf(bad.task, { status: "COMPLETED" }),
        changeOf(bad.task, {}, { newSteps: [step] }),
        changeOf(bad.task, {}, { newCalls: [callRow(step), callRow(step)] }),
        changeOf(bad.task, {}, { newCalls: [callRow(stepRow(bad.task.id))] }),
        changeOf(bad.task, {}, { changedSteps: [stepRow(bad.task.id)] }),
        changeOf(bad.task, {}, { changedCalls: [callRow(step)] }),
      ];
      for (const change of refused) {
        await expectRefused(store.commitChanges([changeOf(good.task, { status: "RUNNING" }), change]));
      }
      expect(await store.readTask(good.task.id)).toEqual(good);
      expect(await store.readTask(bad.task.id)).toEqual(bad);
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
      for (const post of posts) expect(await store.postToTask(post)).toEqual({ kind: "posted" });
      const { wakeSeq, rows } = await store.readInbox(task.id);
      expect(wakeSeq).toBe(posts.length);
      const created_at = expect.any(Number) as number;
      expect(rows).toEqual(posts.map((post, index) => ({ ...post, seq: index + 1, created_at })));
      expect(await store.commitChanges([changeOf(task, {}, { consumed: [1, 3] })])).toEqual([true]);
      expect((await store.readInbox(task.id)).rows.map(({ seq }) => seq)).toEqual([2, 4, 5, 6]);
      const refused: InboxPost[] = [
        { ...nothing, kind: "resolve", attempt_epoch: 0, idempotency_key: null },
        { ...nothing, kind: "resolve", step_id, idempotency_key: null },
        { ...nothing, kind: "signal", name: "go", attempt_epoch: 0, idempotency_key: null },
      ];
      for (const post of refused) await expectRefused(store.postToTask(post));
    });

    test("an idempotency key is taken once", async () => {
      const { task, steps } = await insert(plannedRecord());
      const [step] = steps;
      if (!step) throw new Error("no step");
      const first = changeOf(task, {}, { newCalls: [callRow(step)] });
      expect(await store.commitChanges([first])).toEqual([true]);
      await expectRefused(store.commitChanges([changeOf(first.task, {}, { newCalls: [callRow(step)] })]));
      expect((await store.readTask(task.id))?.calls).toEqual(first.newCalls);
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
      for (const record of forbidden) await expectRefused(store.insertTasks([record]));
      expect(await store.readTask(id)).toBeUndefined();
    });

    test("every pair of states: what can follow is written, what cannot is not", async () => {
      const statuses = Object.keys(NEXT) as TaskStatus[];
      for (const from of statuses) {
        for (const to of statuses) {
          const { task } = await insert(plannedRecord(inStatus(from)));
          // Several transitions may share one change.
          const possible = NEXT[from].length > 0 && (from === to || reachable(from).has(to));
          const [written] = await store.commitChanges([changeOf(task, inStatus(to))]);
          expect({ from, to, written }).toEqual({ from, to, written: possible });
          expect((await store.readTask(task.id))?.task.status).toBe(possible ? to : from);
        }
      }
    });

    test("a list is newest first, in pages, also where tasks were created at the same time", async () => {
      const times = [T0, T0, T0 + 1, T0 + 1, T0 + 1, T0 + 2, T0 - 5, T0];
      const records = times.map((created_at) => plannedRecord({ created_at }));
      await store.insertTasks(records);
      const expected = records.toSorted(({ task: a }, { task: b }) =>
        a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : b.created_at - a.created_at,
      );
      expect(await store.listTasks({ limit: 1000 })).toEqual(expected);
      for (const limit of [1, 3]) {
        const found: TaskRecord[] = [];
        for (let pages = 0; pages < times.length + 1; pages++) {
          const last = found.at(-1)?.task;
          const after = last && { createdAt: last.created_at, id: last.id };
          const page = await store.listTasks({ limit, ...(after && { after }) });
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(limit);
          found.push(...page);
        }
        expect(found).toEqual(expected);
      }
    });

    test("two stores and many callers: every version is won once, and batches in any order do not lock each other out", async () => {
      const other = await openStore(place.address);
      const records = await Promise.all([1, 2, 3].map(() => insert(plannedRecord())));
      const wins = records.map(() => 0);
      for (let round = 0; round < 40; round++) {
        const changes = records.map(({ task }) => changeOf({ ...task, version: round + 1 }));
        const backwards = changes.toReversed();
        const [forward, backward] = await Promise.all([store.commitChanges(changes), other.commitChanges(backwards)]);
        for (const index of records.keys()) {
          if (forward[index]) wins[index] = (wins[index] ?? 0) + 1;
          if (backward[records.length - 1 - index]) wins[index] = (wins[index] ?? 0) + 1;
        }
      }
      expect(wins).toEqual([40, 40, 40]);
      await other.close();
    });

    test("several processes race for one task: every version is won once", async () => {
      const { task } = await insert(plannedRecord());
      const won = await runTogether(3, () => startChild("race", place.address, task.id));
      expect(won.reduce((sum: number, count) => sum + Number(count), 0)).toBe(60);
      expect((await store.readTask(task.id))?.task.version).toBe(61);
    }, 30_000);

    test("a change that is no change, or two of one task, is a bug of the caller", async () => {
      const { task } = await insert(plannedRecord());
      const wrong = [
        [changeOf(task, { version: task.version })],
        [changeOf(task), changeOf(task)],
        [{ ...changeOf(task), taskId: crypto.randomUUID() }],
        [changeOf(task, {}, { newSteps: [stepRow(crypto.randomUUID())] })],
      ];
      for (const changes of wrong) await expect(store.commitChanges(changes)).rejects.toThrow();
      expect((await store.readTask(task.id))?.task).toEqual(task);
    });

    test("a closed store says so", async () => {
      const other = await openStore(place.address);
      await other.listTasks({ limit: 1 });
      await other.close();
      await other.close();
      await expect(other.listTasks({ limit: 1 })).rejects.toMatchObject({ code: "shutting_down" });
    });

    test("time runs in milliseconds since 1970", async () => {
      expect(Math.abs((await store.now()) - Date.now())).toBeLessThan(5000);
      expect(Number.isInteger(await store.now())).toBe(true);
    });
  });
}

async function expectRefused(write: Promise<unknown>): Promise<void> {
  await expect(write).rejects.toMatchObject({ name: "TaskonautError", code: "internal" });
}

function reachable(from: TaskStatus): Set<TaskStatus> {
  const found = new Set<TaskStatus>(NEXT[from]);
  for (const status of found) for (const next of NEXT[status]) found.add(next);
  return found;
}

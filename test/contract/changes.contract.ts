// What every store must hold to (`src/store/store.ts`), whatever lies beneath: changes of tasks, whole or not at all, and
// by nobody who has lost the task.

import { describe, expect, test } from "bun:test";

import type { TaskRow } from "../../src/core/record/record.ts";
import { NEXT, type TaskStatus } from "../../src/core/record/status.ts";
import { signalOf } from "../../src/engine/task/inbox-posts.ts";
import { openStore } from "../../src/store/open.ts";
import type { ProgressNote } from "../../src/store/store.ts";
import type { Place } from "./place.ts";
import { startChild } from "./process.ts";
import { runTogether } from "../support/children.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0, taskRow } from "./rows.ts";
import { expectRefused, taskBench } from "./task-bench.ts";

export function changeContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: changes`, () => {
    const bench = taskBench(create);
    const { insert } = bench;

    test("progress is put down with a call that runs, of a task that the worker or nobody holds", async () => {
      const [me, other] = [crypto.randomUUID(), crypto.randomUUID()];
      const tasks = await Promise.all(
        [me, null, other, me].map((lease_owner) => insert(plannedRecord({ lease_owner }))),
      );
      const calls = tasks.map(({ steps: [step] }, place) =>
        callRow(
          step as Parameters<typeof callRow>[0],
          place === 3 ? { status: "COMPLETED", response_payload: "1", finished_at: T0 + 9 } : {},
        ),
      );
      const changes = tasks.map(({ task, steps: [step] }, place) => {
        const call = calls[place] as (typeof calls)[0];
        const changedSteps = [step as Parameters<typeof callRow>[0]];
        return changeOf(task, { lease_owner: task.lease_owner }, { changedSteps, newCalls: [call] });
      });
      expect(await bench.store.commitChanges(changes)).toEqual([true, true, true, true]);
      const progress = '{"done":1,"message":"\\u0000 ü"}';
      const note = (call: (typeof calls)[0]): ProgressNote => ({
        taskId: call.task_id,
        stepId: call.task_step_id,
        tool: call.tool_name,
        progress,
      });
      const unknown = { ...note(calls[0] as (typeof calls)[0]), tool: "none", stepId: crypto.randomUUID() };
      const written = await bench.store.noteProgress(me, [unknown, ...calls.map(note)]);
      expect(written.toSorted()).toEqual(
        calls
          .slice(0, 2)
          .map((call) => call.task_step_id)
          .toSorted(),
      );
      const read = await Promise.all(tasks.map(({ task }) => bench.store.readTask(task.id)));
      expect(read.map((record) => record?.calls[0]?.progress)).toEqual([progress, progress, null, null]);
      expect(read.map((record) => record?.task.version)).toEqual(changes.map(({ task }) => task.version));
      const ended = {
        ...(calls[0] as (typeof calls)[0]),
        status: "COMPLETED",
        response_payload: "1",
        finished_at: T0 + 9,
      } as const;
      const [first] = changes as [(typeof changes)[0]];
      await bench.store.commitChanges([changeOf(first.task, {}, { changedCalls: [ended] })]);
      expect((await bench.store.readTask(ended.task_id))?.calls[0]).toEqual(ended);
      expect(await bench.store.noteProgress(me, [])).toEqual([]);
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
      expect(await bench.store.commitChanges([first])).toEqual([true]);
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
          flow_code: "other",
          current_step: 2,
        },
        {
          newSteps: [third],
          changedSteps: [done, doubtful],
          newCalls: [callRow(one, { created_at: T0 + 7 })],
          changedCalls: [{ ...ended, started_at: T0 + 4, finished_at: T0 + 8 }],
        },
      );
      expect(await bench.store.commitChanges([second])).toEqual([true]);
      expect(await bench.store.readTask(task.id)).toEqual({
        // Outsiders own wake_seq: a driver does not write it.
        task: { ...second.task, wake_seq: 0 },
        steps: [doubtful, done, third],
        calls: [...second.changedCalls, ...second.newCalls],
      });
    });

    test("a task that rests is due at once where its driver has not seen what was left for it", async () => {
      const rest = async (over: Partial<TaskRow>, isSeen: boolean): Promise<TaskRow | undefined> => {
        const { task } = await insert(plannedRecord({ ...inStatus("RUNNING"), lease_owner: crypto.randomUUID() }));
        expect((await bench.store.postToTask(signalOf(task.id, "go", "1", undefined))).kind).toBe("posted");
        const seen = { ...task, wake_seq: isSeen ? 1 : 0 };
        expect(await bench.store.commitChanges([changeOf(seen, { lease_owner: null, ...over })])).toEqual([true]);
        return bench.store.readTaskRow(task.id);
      };
      const later = T0 * 2;
      const resting = { status: "WAITING_OBSERVATION", due_at: later } as const;
      expect(await rest(resting, true)).toMatchObject({ due_at: later, wake_seq: 1 });
      const woken = await rest(resting, false);
      expect(woken?.due_at).toBeGreaterThan(T0);
      expect(woken?.due_at).toBeLessThan(later);
      expect((await rest({ ...resting, due_at: null }, false))?.due_at).toBeGreaterThan(T0);
      // nobody wakes what has ended or is parked
      expect(await rest({ ...inStatus("FAILED"), due_at: null }, false)).toMatchObject({ due_at: null });
      expect(await rest({ ...resting, due_at: null, parked_reason: "why" }, false)).toMatchObject({ due_at: null });
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
        expect(await bench.store.commitChanges([{ ...change, newSteps: steps, newCalls }])).toEqual([false]);
      }
      expect(await bench.store.readTask(held.task.id)).toEqual(held);
      expect(await bench.store.readTask(free.task.id)).toEqual(free);
    });

    test("a change that ends its task and leaves a step of it open is refused", async () => {
      const { task, steps } = await insert(plannedRecord({ status: "RUNNING", version: 3 }));
      for (const status of ["COMPLETED", "FAILED", "CANCELLED"] as const) {
        const change = changeOf(task, inStatus(status));
        for (const rows of [{ changedSteps: steps.slice(0, 1) }, { newSteps: [stepRow(task.id, { step_index: 9 })] }]) {
          await expect(bench.store.commitChanges([{ ...change, ...rows }])).rejects.toThrow("leaves a step of it open");
        }
      }
      expect((await bench.store.readTask(task.id))?.task).toEqual(task);
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
      expect(await bench.store.commitChanges(changes)).toEqual(records.map((_, index) => index % 3 !== 0));
      for (const [index, { task }] of records.entries()) {
        const record = await bench.store.readTask(task.id);
        const found = { task: record?.task.status, step: record?.steps[0]?.status, calls: record?.calls.length };
        const state = index % 3 === 0 ? "PLANNED" : "RUNNING";
        expect(found).toEqual({ task: state, step: state, calls: index % 3 === 0 ? 0 : 1 });
      }
      expect(await bench.store.commitChanges([])).toEqual([]);
    });

    test("a batch that the database refuses is refused whole, and so is one that names rows which are not there", async () => {
      const good = await insert(plannedRecord());
      const bad = await insert(plannedRecord());
      const [step] = bad.steps;
      if (!step) throw new Error("no step");
      const refused = [
        changeOf(bad.task, { status: "COMPLETED" }),
        changeOf(bad.task, {}, { newSteps: [step] }),
        changeOf(bad.task, {}, { changedSteps: [step], newCalls: [callRow(step), callRow(step)] }),
        changeOf(bad.task, {}, { newCalls: [callRow(stepRow(bad.task.id))] }),
        changeOf(bad.task, {}, { changedSteps: [stepRow(bad.task.id)] }),
        changeOf(bad.task, {}, { changedCalls: [callRow(step)] }),
      ];
      for (const change of refused) {
        await expectRefused(bench.store.commitChanges([changeOf(good.task, { status: "RUNNING" }), change]));
      }
      expect(await bench.store.readTask(good.task.id)).toEqual(good);
      expect(await bench.store.readTask(bad.task.id)).toEqual(bad);
    });

    test("an idempotency key is taken once", async () => {
      const { task, steps } = await insert(plannedRecord());
      const [step] = steps;
      if (!step) throw new Error("no step");
      const first = changeOf(task, {}, { changedSteps: [step], newCalls: [callRow(step)] });
      expect(await bench.store.commitChanges([first])).toEqual([true]);
      const again = changeOf(first.task, {}, { changedSteps: [step], newCalls: [callRow(step)] });
      await expectRefused(bench.store.commitChanges([again]));
      expect((await bench.store.readTask(task.id))?.calls).toEqual(first.newCalls);
    });

    test("every pair of states: what can follow is written, what cannot is not", async () => {
      const statuses = Object.keys(NEXT) as TaskStatus[];
      for (const from of statuses) {
        for (const to of statuses) {
          const { task } = await insert(plannedRecord(inStatus(from)));
          // Several transitions may share one change.
          const possible = NEXT[from].length > 0 && (from === to || reachable(from).has(to));
          const [written] = await bench.store.commitChanges([changeOf(task, inStatus(to))]);
          expect({ from, to, written }).toEqual({ from, to, written: possible });
          expect((await bench.store.readTask(task.id))?.task.status).toBe(possible ? to : from);
        }
      }
    });

    test("two stores and many callers: every version is won once, and batches in any order do not lock each other out", async () => {
      const other = await openStore(bench.place.address);
      const records = await Promise.all([1, 2, 3].map(() => insert(plannedRecord())));
      const wins = records.map(() => 0);
      for (let round = 0; round < 40; round++) {
        const changes = records.map(({ task }) => changeOf({ ...task, version: round + 1 }));
        const backwards = changes.toReversed();
        const [forward, backward] = await Promise.all([
          bench.store.commitChanges(changes),
          other.commitChanges(backwards),
        ]);
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
      const won = await runTogether(Array.from({ length: 3 }, () => startChild("race", bench.place.address, task.id)));
      expect(won.reduce((sum: number, count) => sum + Number(count), 0)).toBe(60);
      expect((await bench.store.readTask(task.id))?.task.version).toBe(61);
    }, 120_000);

    test("a change that is no change, or two of one task, is a bug of the caller", async () => {
      const { task } = await insert(plannedRecord());
      const wrong = [
        [changeOf(task, { version: task.version })],
        [changeOf(task), changeOf(task)],
        [{ ...changeOf(task), taskId: crypto.randomUUID() }],
        [changeOf(task, {}, { newSteps: [stepRow(crypto.randomUUID())] })],
      ];
      for (const changes of wrong) await expect(bench.store.commitChanges(changes)).rejects.toThrow();
      expect((await bench.store.readTask(task.id))?.task).toEqual(task);
    });
  });
}

function reachable(from: TaskStatus): Set<TaskStatus> {
  const found = new Set<TaskStatus>(NEXT[from]);
  for (const status of found) for (const next of NEXT[status]) found.add(next);
  return found;
}

// Many callers of one task, in one process and in several: each transition is made once, and everybody is answered.

import { describe, expect, test } from "bun:test";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { callTogether, type CallResult } from "../support/callers.ts";
import { DATABASES } from "../support/databases.ts";

const TASKS = 20;
const ADVANCES = 50;
const RUNS = 16;

/** What the callers of `advance` may be told, in order; the first four by exactly one of them. */
const STATES = ["RUNNING 0", "WAITING_OBSERVATION 1", "RUNNING 1", "WAITING_OBSERVATION 2", "COMPLETED 2"];
const END = "COMPLETED 2";

const repeat = <T>(times: number, value: T): T[] => Array.from({ length: times }, () => value);

for (const [name, createDatabase] of DATABASES) {
  describe(`at once on ${name}`, () => {
    const bench = benchOn(createDatabase);

    async function createTasks(): Promise<string[]> {
      const engine = await bench.openEngine();
      const created = await Promise.all(
        repeat(TASKS, { flow: "echo_add", input: { a: 2, b: 3 } }).map((request) => engine.createTask(request)),
      );
      return created.map(({ task }) => task.id);
    }

    /** Exactly five transitions, two calls of a tool, and one caller for each transition. */
    async function expectOneLife(ids: readonly string[], results: readonly CallResult[]): Promise<void> {
      const reader = await bench.openEngine();
      const store = await bench.openStore();
      const byTask = Map.groupBy(results, (result) => result.id);
      for (const id of ids) {
        const states = (byTask.get(id) ?? []).map((result) => result.state);
        expect(states).toHaveLength(ADVANCES);
        expect(states.toSorted(byOrder)).toEqual([...STATES, ...repeat(ADVANCES - STATES.length, END)]);
        const task = await reader.getTask(id);
        expect(task).toMatchObject({
          status: "COMPLETED",
          output_payload: { echo: { text: "hello" }, add: { sum: 5 } },
        });
        expect(task.tool_calls).toHaveLength(2);
        expect((await store.readTask(id))?.task.observed_count).toBe(2);
      }
    }

    test(`${ADVANCES} advances of one task from 5 processes make five transitions, each told to one of them`, async () => {
      const ids = await createTasks();
      const calls = ids.flatMap((id) => repeat(ADVANCES / 5, { kind: "advance" as const, id }));
      await expectOneLife(ids, await callTogether(repeat(5, { url: bench.database.url, calls })));
    }, 120_000);

    for (const engines of [1, 2]) {
      test(`${ADVANCES} advances of one task from ${engines} engine(s) in one process do the same`, async () => {
        const ids = await createTasks();
        const open = await Promise.all(repeat(engines, 0).map(() => bench.openEngine()));
        const calls = ids.flatMap((id) =>
          repeat(ADVANCES, id).map((_, i) => advance(open[i % engines] as Taskonaut, id)),
        );
        await expectOneLife(ids, await Promise.all(calls));
      }, 120_000);

      test(`${RUNS} runs of one task from ${engines} engine(s) in one process are all told that it is COMPLETED`, async () => {
        const ids = await createTasks();
        const open = await Promise.all(repeat(engines, 0).map(() => bench.openEngine()));
        const calls = ids.flatMap((id) => repeat(RUNS, id).map((_, i) => (open[i % engines] as Taskonaut).runTask(id)));
        for (const task of await Promise.all(calls)) {
          expect([task.status, task.tool_calls.length]).toEqual(["COMPLETED", 2]);
        }
      }, 120_000);
    }

    test("who has lost a write takes a turn before it reads again, and gives it back once it has made its transition", async () => {
      const heard: string[] = [];
      const around = (store: Store): Store => ({
        ...store,
        async commitChanges(changes) {
          const won = await store.commitChanges(changes);
          heard.push(won[0] ? "won" : "lost");
          return won;
        },
        async readTask(id) {
          heard.push("read");
          return store.readTask(id);
        },
        async takeTurn() {
          heard.push("turn");
          return { isOver: false, end: () => heard.push("end") };
        },
      });
      const [first, second] = [await bench.openEngine({ around }), await bench.openEngine()];
      const { task } = await first.createTask({ flow: "echo_add", input: { a: 2, b: 3 } });
      await second.advanceTask(task.id);
      const advanced = await first.advanceTask(task.id);
      expect(`${advanced.status} ${advanced.current_step}`).toBe("WAITING_OBSERVATION 1");
      expect(heard).toEqual(["lost", "turn", "read", "won", "end"]);
    });

    test(`${RUNS} runs of one task from 4 processes are all told that it is COMPLETED`, async () => {
      const ids = await createTasks();
      const calls = ids.flatMap((id) => repeat(RUNS / 4, { kind: "run" as const, id }));
      const results = await callTogether(repeat(4, { url: bench.database.url, calls }));
      expect(results.map((result) => result.state)).toEqual(repeat(TASKS * RUNS, END));
      const reader = await bench.openEngine();
      for (const id of ids) expect((await reader.getTask(id)).tool_calls).toHaveLength(2);
    }, 120_000);
  });
}

async function advance(engine: Taskonaut, id: string): Promise<CallResult> {
  const task = await engine.advanceTask(id);
  return { id, state: `${task.status} ${task.current_step}` };
}

function byOrder(one: string, other: string): number {
  return STATES.indexOf(one) - STATES.indexOf(other);
}

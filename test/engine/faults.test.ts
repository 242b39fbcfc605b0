// A store that fails in the middle: callers hear of it, nothing that was told is lost, and the next run completes.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { keyedTaskId } from "../../src/core/record/ids.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { faultyStore, type AtWrite } from "../support/faulty-store.ts";
import { turn } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { recordsOf } from "../support/listed.ts";

type Fault = "answer lost" | "not written";

/** The flows of these tests; each makes two calls of a tool and takes five transitions. */
const FLOWS = (["pure", "at-least-once"] as const).map((execution) => {
  const tool = giveBack(execution, { execution });
  return defineFlow({
    name: execution,
    input: v.object({}),
    *run() {
      return [yield* call(tool, 1, { as: "one" }), yield* call(tool, 2, { as: "two" })];
    },
  });
});

const WRITES_MAX = 20;

/** The write of this number fails; `writes` tells how many there were, until it is told that it is over. */
function failingAt(at: number, fault: Fault): { atWrite: AtWrite; counted: { writes: number; isOver: boolean } } {
  const counted = { writes: 0, isOver: false };
  const atWrite: AtWrite = async (number, write) => {
    if (counted.isOver) return write();
    counted.writes = number;
    if (number === at && fault === "not written") throw new TaskonautError("database_unavailable", "gone");
    const result = await write();
    if (number === at) throw new TaskonautError("database_unavailable", "the answer is lost");
    return result;
  };
  return { atWrite, counted };
}

/** How far a task has come: what was told must never be ahead of what is stored. */
function progressOf(task: Pick<Task, "status" | "current_step" | "steps">): number {
  const order = [
    "PLANNED 0",
    "RUNNING 0",
    "WAITING_OBSERVATION 1",
    "RUNNING 1",
    "WAITING_OBSERVATION 2",
    "COMPLETED 2",
  ];
  const place = order.indexOf(`${task.status} ${task.current_step}`);
  expect(place).toBeGreaterThanOrEqual(0);
  return place;
}

for (const [name, createDatabase] of DATABASES) {
  describe(`a write that fails on ${name}`, () => {
    const bench = benchOn(createDatabase);

    for (const flow of FLOWS) {
      for (const drive of ["advance", "run"] as const) {
        for (const fault of ["answer lost", "not written"] as const) {
          test(`(${fault}) anywhere in create and ${drive} with ${flow.name} tools is told, and the next run completes`, async () => {
            let writes = WRITES_MAX;
            for (let at = 1; at <= writes; at++) {
              const store = await bench.openStore();
              const { atWrite, counted } = failingAt(at, fault);
              const engine = engineOn(
                { ...faultyStore(store, atWrite), close: async () => {} },
                { flows: [flow], limits: { graceMs: 0 } },
              );
              const idempotencyKey = Bun.randomUUIDv7();
              const errors: Error[] = [];
              let told: Task | undefined;
              const hear = async (task: Promise<Task>): Promise<void> => {
                try {
                  const next = await task;
                  expect(progressOf(next)).toBeGreaterThanOrEqual(told ? progressOf(told) : 0);
                  told = next;
                } catch (error) {
                  errors.push(error as Error);
                  const stored = await store.readTask(keyedTaskId(idempotencyKey));
                  if (told)
                    expect(stored && progressOf({ ...stored.task, steps: [] })).toBeGreaterThanOrEqual(
                      progressOf(told),
                    );
                }
              };
              const create = async (): Promise<Task> =>
                (await engine.createTask({ flow: flow.name, input: {}, idempotencyKey })).task;
              await hear(create());
              if (!told) await hear(create());
              const id = told?.id ?? "";
              const isCompleted = (): boolean => told?.status === "COMPLETED";
              for (let calls = 0; calls < 10 && !isCompleted(); calls++) {
                await hear(drive === "run" ? engine.runTask(id) : engine.advanceTask(id));
              }
              expect(told).toMatchObject({ status: "COMPLETED", output_payload: [1, 2], lease_owner: null });
              expect(told?.tool_calls.map((each) => each.status)).toEqual(["COMPLETED", "COMPLETED"]);
              // under a lease a write is tried again, and nobody hears of it
              const isTold = counted.writes >= at && (flow.name === "pure" || errors.length > 0);
              expect(errors).toMatchObject(isTold ? [{ code: "database_unavailable" }] : []);
              const other = await bench.openEngine({ flows: [flow] });
              expect(await other.runTask(id)).toEqual(told as Task);
              writes = counted.writes;
              counted.isOver = true; // closing writes, too
              await engine.close();
            }
            expect(writes).toBeGreaterThanOrEqual(2);
          });
        }
      }
    }

    test.each(["at-least-once", "at-most-once"] as const)(
      "while nobody waited is tried again: the outcome of an %s tool is not lost, and it is not called again",
      async (execution) => {
        const [fast, slow] = [new Gate("fast"), new Gate("slow", { execution })];
        const flow = defineFlow({
          name: "both",
          input: v.object({}),
          *run() {
            return yield* all([call(fast.tool, 1), call(slow.tool, 2)]);
          },
        });
        const store = await bench.openStore();
        let isGone = false;
        let refused = 0;
        const atWrite: AtWrite = async (_, write) => {
          if (!isGone) return write();
          refused += 1;
          throw new TaskonautError("database_unavailable", "gone");
        };
        const engine = engineOn({ ...faultyStore(store, atWrite), close: async () => {} }, { flows: [flow] });
        const { task } = await engine.createTask({ flow: "both", input: {} });
        await engine.advanceTask(task.id);
        const advancing = engine.advanceTask(task.id);
        await slow.called();
        fast.end(0, "f");
        await advancing;
        isGone = true;
        slow.end(0, "kept");
        await until(() => refused > 0);
        await turn();
        isGone = false;
        expect(await engine.runTask(task.id)).toMatchObject({ status: "COMPLETED", output_payload: ["f", "kept"] });
        expect([fast.calls.length, slow.calls.length]).toEqual([1, 1]);
        await engine.close();
      },
    );

    test("takes with it only those whose changes were in it", async () => {
      const store = await bench.openStore();
      let isGone = false;
      const engine = engineOn(
        faultyStore({ ...store, close: async () => {} }, async (_, write) => {
          if (isGone) throw new TaskonautError("database_unavailable", "gone");
          return write();
        }),
      );
      const ids = await Promise.all(
        [1, 2, 3].map(async () => (await engine.createTask({ flow: "echo_add", input: {} })).task.id),
      );
      isGone = true;
      for (const error of await Promise.all(ids.map((id) => rejection(engine.advanceTask(id))))) {
        expect(error).toMatchObject({ code: "database_unavailable" });
      }
      isGone = false;
      for (const id of ids) expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED" });
      await engine.close();
    });
  });
}

describe("what an engine answers", () => {
  const bench = benchOn(DATABASES[0]?.[1] ?? (() => Promise.reject(new Error("no database"))));

  test("is durable, even where another outcome comes in just when the write is through", async () => {
    const [first, second] = [new Gate("first"), new Gate("second")];
    const flow = defineFlow({
      name: "both",
      input: v.object({}),
      *run() {
        yield* all([call(first.tool, 1), call(second.tool, 2)]);
      },
    });
    // in whichever microtask it comes
    for (let microtasks = 0; microtasks < 40; microtasks++) {
      const number = first.calls.length;
      const inner = await bench.openStore();
      let outcomesStored = 0;
      const store: Store = {
        ...inner,
        close: async () => {},
        async commitChanges(changes) {
          const won = await inner.commitChanges(changes);
          const stored = await inner.readTask(changes[0]?.taskId ?? "");
          outcomesStored = stored?.steps.filter((step) => step.outcome_seq !== null).length ?? 0;
          if (outcomesStored === 1) second.end(number, "late");
          for (let i = 0; i < microtasks; i++) await Promise.resolve();
          return won;
        },
      };
      const engine = engineOn(store, { flows: [flow] });
      const { task } = await engine.createTask({ flow: "both", input: {} });
      await engine.advanceTask(task.id);
      const advancing = engine.advanceTask(task.id).then((answer) => ({ answer, outcomesStored }));
      await second.called(number + 1);
      first.end(number, "early");
      const { answer, outcomesStored: storedThen } = await advancing;
      expect(answer.steps.filter((step) => step.status === "COMPLETED").length).toBeLessThanOrEqual(storedThen);
      await engine.close();
    }
  });

  test("stands for one driver of a task only, however many tasks came since it began", async () => {
    const gate = new Gate("charge", { execution: "at-most-once" });
    const beside = new Gate("beside");
    const flow = defineFlow({
      name: "charge",
      input: v.object({}),
      *run() {
        return yield* all([call(beside.tool, 1), call(gate.tool, 2)]);
      },
    });
    const inner = await bench.openStore();
    const registered = Promise.withResolvers<void>();
    const store: Store = {
      ...inner,
      close: async () => {},
      async registerWorker(worker) {
        await registered.promise;
        return inner.registerWorker(worker);
      },
    };
    const engine = engineOn(store, { flows: [flow] });
    const { task } = await engine.createTask({ flow: "charge", input: {} });
    await engine.advanceTask(task.id);
    const advancing = engine.advanceTask(task.id);
    // it waits for its lease, while more tasks come than are remembered
    for (let i = 0; i < 501; i++) await engine.createTask({ flow: "echo_add", input: {} });
    registered.resolve();
    await gate.called();
    beside.end(0, "b");
    await advancing;
    await engine.advanceTask(task.id);
    const running = engine.runTask(task.id);
    gate.end(0, "charged once");
    expect(await running).toMatchObject({ status: "COMPLETED", output_payload: ["b", "charged once"] });
    expect(gate.calls).toHaveLength(1);
    await engine.close();
  });
});

describe("an engine that closes", () => {
  const bench = benchOn(DATABASES[0]?.[1] ?? (() => Promise.reject(new Error("no database"))));

  test("while it claims a task gives the tool that then starts its time", async () => {
    const gate = new Gate("careful", { execution: "at-most-once" });
    const flow = defineFlow({ name: "one", input: v.object({}), plan: () => [call(gate.tool, 1)] });
    const store = await bench.openStore();
    const [claiming, closing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const engine = engineOn(
      faultyStore({ ...store, close: async () => {} }, async (_, write) => {
        const written = await write();
        const [record] = recordsOf(await store.listTasks({ limit: 1 }));
        if (record?.task.lease_owner && gate.calls.length === 0) {
          claiming.resolve();
          await closing.promise;
        }
        return written;
      }),
      { flows: [flow] },
    );
    const { task } = await engine.createTask({ flow: "one", input: {} });
    await engine.advanceTask(task.id);
    const advancing = engine.advanceTask(task.id);
    await claiming.promise;
    const closed = engine.close();
    closing.resolve();
    await gate.called();
    gate.end(0, "done");
    expect(await advancing).toMatchObject({ status: "WAITING_OBSERVATION", current_step: 1, parked_reason: null });
    await closed;
    expect((await store.readTask(task.id))?.task).toMatchObject({ lease_owner: null });
  });
});

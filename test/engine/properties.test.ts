// Whatever is asked of two engines on one database, in whatever order: the rows are those that the table of states
// predicts. A task's state is the number of transitions it has made; nothing else matters.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { call } from "../../src/core/flow/operation.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { Change, Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { giveBack } from "../support/tools.ts";
import { LIFE } from "./life.contract.ts";
import { effort } from "../support/effort.ts";

/** The life of echo_add, with tools that are leased. */
const leased = defineFlow({
  name: "leased",
  input: v.object({ a: v.number(), b: v.number() }),
  plan: ({ a, b }) => [call(giveBack("echo"), { text: "hello" }), call(giveBack("add"), { sum: a + b })],
});

const ENGINES = 2;
const TRANSITIONS = LIFE.length - 1;

/** `task`: which of those that are there, by number; an odd one is of the flow `leased`. */
type Act =
  | { readonly kind: "create"; readonly engine: number; readonly a: number; readonly b: number }
  | { readonly kind: "advance"; readonly engine: number; readonly task: number }
  | { readonly kind: "run"; readonly engine: number; readonly task: number; readonly maxSteps: number };

const engine = fc.nat({ max: ENGINES - 1 });
const integer = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 });
const create: fc.Arbitrary<Act> = fc.record({ kind: fc.constant("create" as const), engine, a: integer, b: integer });
const drive = (tasks: number): fc.Arbitrary<Act> =>
  fc.oneof(
    {
      arbitrary: fc.record({ kind: fc.constant("advance" as const), engine, task: fc.nat({ max: tasks - 1 }) }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant("run" as const),
        engine,
        task: fc.nat({ max: tasks - 1 }),
        maxSteps: fc.integer({ min: 1, max: TRANSITIONS + 1 }),
      }),
      weight: 1,
    },
  );

/** What is known of a task without asking. */
interface Expected {
  readonly id: string;
  readonly sum: number;
  transitions: number;
}

function expectState(task: Task, { sum }: Expected, transitions: number): void {
  const state = LIFE[transitions];
  if (!state) throw new Error(`${task.status} with ${task.current_step} is no state of the table.`);
  const [status, currentStep, steps, calls, output] = state;
  expect([task.status, task.current_step, task.tool_calls.length]).toEqual([status, currentStep, calls]);
  expect(task.steps.map((step) => step.status)).toEqual([...steps]);
  expect(task.steps.map((step) => step.tool_calls.length)).toEqual(steps.map((step) => (step === "COMPLETED" ? 1 : 0)));
  expect(task.output_payload).toEqual(output && { echo: { text: "hello" }, add: { sum } });
  expect([task.lease_owner, task.parked_reason, task.error_message]).toEqual([null, null, null]);
}

/** Where in its life a task is; -1 where it is in no state of the table. */
function placeOf(task: Task): number {
  return LIFE.findIndex(([status, currentStep]) => status === task.status && currentStep === task.current_step);
}

async function createOne(on: Taskonaut, number: number, { a, b }: { a: number; b: number }): Promise<Expected> {
  const flow = number % 2 === 0 ? "echo_add" : leased.name;
  const { task } = await on.createTask({ flow, input: { a, b } });
  const expected = { id: task.id, sum: a + b, transitions: 0 };
  expectState(task, expected, 0);
  return expected;
}

/** The task that the act is answered with; undefined where its transitions were used up. */
async function answerOf(on: Taskonaut, act: Exclude<Act, { kind: "create" }>, id: string): Promise<Task | undefined> {
  if (act.kind === "advance") return on.advanceTask(id);
  try {
    return await on.runTask(id, { maxSteps: act.maxSteps });
  } catch (error) {
    if (error instanceof TaskonautError && error.code === "max_steps_exhausted") return undefined;
    throw error;
  }
}

const transitionsOf = (act: Act): number => (act.kind === "create" ? 0 : act.kind === "advance" ? 1 : act.maxSteps);

for (const [name, createDatabase] of DATABASES) {
  describe(`any interleaving on ${name}`, () => {
    const bench = benchOn(createDatabase);
    const numRuns = name === "sqlite" ? effort({ check: 60, long: 150 }) : effort({ check: 15, long: 50 });
    const openEngines = (): Promise<Taskonaut[]> =>
      Promise.all(Array.from({ length: ENGINES }, () => bench.openEngine({ flows: [leased] })));

    test("one after the other ends with the rows that the state table predicts", async () => {
      const engines = await openEngines();
      const reader = await bench.openEngine({ flows: [leased] });
      const anyActs = fc.array(fc.oneof({ arbitrary: create, weight: 1 }, { arbitrary: drive(4), weight: 5 }), {
        maxLength: 40,
      });
      await fc.assert(
        fc.asyncProperty(anyActs, async (acts) => {
          const tasks: Expected[] = [];
          for (const act of acts) {
            const on = engines[act.engine] as Taskonaut;
            if (act.kind === "create") {
              tasks.push(await createOne(on, tasks.length, act));
              continue;
            }
            const expected = tasks[act.task % Math.max(1, tasks.length)];
            if (!expected) continue;
            expected.transitions = Math.min(TRANSITIONS, expected.transitions + transitionsOf(act));
            const task = await answerOf(on, act, expected.id);
            if (task) expectState(task, expected, expected.transitions);
            else expect(expected.transitions).toBeLessThan(TRANSITIONS);
          }
          for (const expected of tasks) expectState(await reader.getTask(expected.id), expected, expected.transitions);
        }),
        { numRuns },
      );
    }, 120_000);

    test("all at once makes as many transitions as were asked for, and answers nothing but states of the table", async () => {
      const engines = await openEngines();
      const reader = await bench.openEngine({ flows: [leased] });
      const anyWaves = fc.array(fc.array(drive(3), { maxLength: 8 }), { maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(fc.array(create, { minLength: 3, maxLength: 3 }), anyWaves, async (creates, waves) => {
          const tasks = await Promise.all(
            creates.map((act, number) =>
              createOne(engines[act.engine] as Taskonaut, number, act as Extract<Act, { kind: "create" }>),
            ),
          );
          for (const wave of waves) await expectWave(engines, tasks, wave, (all) => all);
          for (const expected of tasks) expectState(await reader.getTask(expected.id), expected, expected.transitions);
        }),
        { numRuns },
      );
    }, 120_000);
  });
}

describe("any order of a store's answers", () => {
  const bench = benchOn(DATABASES[0]?.[1] ?? (() => Promise.reject(new Error("no database"))));

  test("to two engines makes as many transitions as were asked for, each told to one caller", async () => {
    const store = await bench.openStore();
    const anyWave = fc.array(drive(2), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), anyWave, async (scheduler, wave) => {
        const shuffled = {
          ...store,
          readTask: scheduler.scheduleFunction((id: string) => store.readTask(id)),
          commitChanges: scheduler.scheduleFunction((changes: readonly Change[]) => store.commitChanges(changes)),
          registerWorker: scheduler.scheduleFunction((worker: Parameters<Store["registerWorker"]>[0]) =>
            store.registerWorker(worker),
          ),
          close: async () => {},
        };
        const limits = { ...DEFAULT_LIMITS, graceMs: 0 };
        const engines = Array.from({ length: ENGINES }, () => engineOn(shuffled, { flows: [leased], limits }));
        const tasks = [
          await createOne(engines[0] as Taskonaut, 0, { a: 1, b: 2 }),
          await createOne(engines[1] as Taskonaut, 1, { a: 3, b: 4 }),
        ];
        await expectWave(engines, tasks, wave, (all) => scheduler.waitFor(all));
        await Promise.all(engines.map((each) => each.close()));
        const reader = engineOn({ ...store, close: async () => {} });
        for (const expected of tasks) expectState(await reader.getTask(expected.id), expected, expected.transitions);
      }),
      { numRuns: effort({ check: 80, long: 200 }) },
    );
  }, 120_000);
});

/** All acts of the wave at once. Each answer is a state of the table; each transition is told to at most one `advance`. */
async function expectWave(
  engines: readonly Taskonaut[],
  tasks: readonly Expected[],
  wave: readonly Act[],
  waitFor: <T>(all: Promise<T>) => Promise<T>,
): Promise<void> {
  const told = new Map<Expected, number[]>();
  const answers = wave.map(async (act) => {
    const expected = act.kind === "create" ? undefined : tasks[act.task];
    if (act.kind === "create" || !expected) return;
    const task = await answerOf(engines[act.engine] as Taskonaut, act, expected.id);
    if (!task) return;
    const place = placeOf(task);
    expectState(task, expected, place);
    if (act.kind === "run") expect(place).toBe(TRANSITIONS);
    else if (place < TRANSITIONS) told.set(expected, [...(told.get(expected) ?? []), place]);
  });
  const before = new Map(tasks.map((expected) => [expected, expected.transitions]));
  await waitFor(Promise.all(answers));
  for (const [number, expected] of tasks.entries()) {
    const asked = wave.reduce(
      (sum, act) => sum + (act.kind !== "create" && act.task === number ? transitionsOf(act) : 0),
      0,
    );
    expected.transitions = Math.min(TRANSITIONS, expected.transitions + asked);
    const places = told.get(expected) ?? [];
    expect(new Set(places).size).toBe(places.length);
    for (const place of places) expect(place).toBeGreaterThan(before.get(expected) ?? 0);
  }
}

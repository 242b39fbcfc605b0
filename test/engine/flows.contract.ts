// Flows whose steps depend on earlier outcomes: groups, failures, limits.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call, race, sleep, type Operation } from "../../src/core/flow/operation.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Bench } from "../support/bench.ts";
import { turn } from "../support/fake-clock.ts";
import { rejection } from "../support/rejection.ts";
import { flaky, Gate, giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";

type Run = () => Generator<Operation<unknown>, unknown, unknown>;
const flowOf = (run: Run): Flow => defineFlow({ name: "sample", input: v.object({}), run });

const pure = giveBack("pure", { execution: "pure" });
const effect = giveBack("effect");

const stepsOf = (task: Task): string[] => task.steps.map((step) => `${step.step_name} ${step.status}`);

export function flowContract(bench: Bench): void {
  const openWith = (flow: Flow, limits = {}): Promise<Taskonaut> => bench.openEngine({ flows: [flow], limits });
  const create = async (engine: Taskonaut): Promise<string> =>
    (await engine.createTask({ flow: "sample", input: {} })).task.id;

  /** Advances to the end; each answer must be what is stored. Gives every answer. */
  async function lifeOf(flow: Flow, { isAlwaysNew }: { isAlwaysNew: boolean }): Promise<Task[]> {
    let engine = await openWith(flow);
    const reader = await openWith(flow);
    const id = await create(engine);
    const answers: Task[] = [];
    while (answers.at(-1)?.status !== "COMPLETED" && answers.length < 100) {
      if (isAlwaysNew) {
        await engine.close();
        engine = await openWith(flow);
      }
      const task = await engine.advanceTask(id);
      expect(task).toEqual(await reader.getTask(id));
      answers.push(task);
    }
    return answers;
  }

  describe("a run flow", () => {
    for (const [name, tool] of Object.entries({ pure, effect })) {
      for (const isAlwaysNew of [false, true]) {
        const engines = isAlwaysNew ? "a new engine for every transition" : "one engine";
        test(`of ${name} tools is the same step by step with ${engines}`, async () => {
          const answers = await lifeOf(
            flowOf(function* () {
              const first = yield* call(tool, { n: 1 }, { as: "first" });
              const second = yield* call(tool, { first, n: 2 }, { as: "second" });
              return { second };
            }),
            { isAlwaysNew },
          );
          expect(
            answers.map((task) => [task.status, task.current_step, task.tool_calls.length, ...stepsOf(task)]),
          ).toEqual([
            ["RUNNING", 0, 0, "first PLANNED"],
            ["WAITING_OBSERVATION", 1, 1, "first COMPLETED"],
            ["RUNNING", 1, 1, "first COMPLETED", "second PLANNED"],
            ["WAITING_OBSERVATION", 2, 2, "first COMPLETED", "second COMPLETED"],
            ["COMPLETED", 2, 2, "first COMPLETED", "second COMPLETED"],
          ]);
          expect(answers.at(-1)?.output_payload).toEqual({ second: { first: { n: 1 }, n: 2 } });
        });

        test(`with groups in groups of ${name} tools ends with ${engines}`, async () => {
          const branch = function* (letter: string): Generator<Operation<unknown>, unknown, unknown> {
            const seen = yield* call(tool, `${letter}1`, { as: `${letter}1` });
            return [seen, yield* call(tool, `${letter}2`, { as: `${letter}2` })];
          };
          const answers = await lifeOf(
            flowOf(function* () {
              return yield* all({
                a: branch("a"),
                list: all([branch("b"), call(tool, "c", { as: "c" })]),
                none: all([]),
              });
            }),
            { isAlwaysNew },
          );
          const last = answers.at(-1);
          expect(last).toMatchObject({
            status: "COMPLETED",
            output_payload: { a: ["a1", "a2"], list: [["b1", "b2"], "c"], none: [] },
          });
          expect(last?.tool_calls).toHaveLength(5);
          expect(new Set(last?.steps.map((step) => step.status))).toEqual(new Set(["COMPLETED"]));
        });

        test(`with a race of ${name} tools ends with ${engines}`, async () => {
          const answers = await lifeOf(
            flowOf(function* () {
              const first = yield* race([call(tool, "a", { as: "a" }), call(tool, "b", { as: "b" })]);
              const second = yield* call(tool, "c", { as: "c" });
              return [first, second];
            }),
            { isAlwaysNew },
          );
          const last = answers.at(-1);
          expect(last).toMatchObject({ status: "COMPLETED", output_payload: ["a", "c"] });
          expect(last?.steps.filter((step) => step.status === "CANCELLED").length).toBeLessThanOrEqual(1);
        });
      }
    }

    test("sees failures where it waits for them, and may compensate", async () => {
      const flow = flowOf(function* () {
        try {
          yield* all([call(flaky("broken", Infinity), 1), call(effect, 2)]);
        } catch (error) {
          return yield* call(effect, String(error), { as: "undo" });
        }
        return undefined;
      });
      const engine = await openWith(flow);
      const task = await engine.runTask(await create(engine));
      expect(task).toMatchObject({
        status: "COMPLETED",
        output_payload: "StepError: broken: broken failed at attempt 3",
        error_message: null,
      });
      expect(stepsOf(task)).toEqual(["broken FAILED", "effect COMPLETED", "undo COMPLETED"]);
    });

    test("that decides nothing is complete after three transitions", async () => {
      const flow = flowOf(function* () {
        yield* [];
        return "nothing to do";
      });
      const engine = await openWith(flow);
      const id = await create(engine);
      expect(await engine.runTask(id, { maxSteps: 3 })).toMatchObject({
        status: "COMPLETED",
        output_payload: "nothing to do",
        steps: [],
      });
    });

    test("that throws is FAILED with what it threw", async () => {
      const flow = flowOf(function* () {
        yield* call(pure, 1);
        throw new TypeError("a bug");
      });
      const engine = await openWith(flow);
      expect(await engine.runTask(await create(engine))).toMatchObject({
        status: "FAILED",
        error_message: "a bug",
        output_payload: null,
      });
    });

    test("gives its members' outcomes in the order in which they were recorded, in another engine, too", async () => {
      const gates = ["a", "b", "c"].map((name) => new Gate(name));
      const flow = flowOf(function* () {
        const order: unknown[] = [];
        const members = gates.map(function* ({ tool }) {
          order.push(yield* call(tool, 0));
        });
        yield* all(members);
        return order;
      });
      const engine = await openWith(flow);
      const id = await create(engine);
      await engine.advanceTask(id);
      const advancing = engine.advanceTask(id);
      await Promise.all(gates.map((gate) => gate.called()));
      for (const which of [2, 0, 1]) {
        gates[which]?.end(0, which);
        await turn();
      }
      expect((await advancing).output_payload).toBeNull();
      await until(async () => (await engine.getTask(id)).steps.every((step) => step.status === "COMPLETED"));
      const other = await openWith(flow);
      expect((await other.runTask(id)).output_payload).toEqual([2, 0, 1]);
      expect((await engine.runTask(id)).output_payload).toEqual([2, 0, 1]);
    });

    test("that a race has decided aborts the others and goes on without them", async () => {
      const [fast, slow] = [new Gate("fast"), new Gate("slow")];
      const flow = flowOf(function* () {
        const won = yield* race({ fast: call(fast.tool, 1), slow: call(slow.tool, 2) });
        return yield* call(effect, won, { as: "after" });
      });
      const engine = await openWith(flow);
      const id = await create(engine);
      const running = engine.runTask(id);
      await slow.called();
      fast.end(0, "won");
      const task = await running;
      expect(task).toMatchObject({ status: "COMPLETED", output_payload: "won", lease_owner: null });
      expect(stepsOf(task)).toEqual(["fast COMPLETED", "slow CANCELLED", "after COMPLETED"]);
      expect(task.tool_calls[1]).toMatchObject({
        tool_name: "slow",
        status: "FAILED",
        error_message: "Nobody waits for this step any more.",
      });
      expect(slow.calls[0]?.signal.aborted).toBe(true);
      slow.end(0, "late");
      expect(await (await openWith(flow)).getTask(id)).toEqual(task);
    });

    test("of 1000 steps in a row runs to its end, within the limit of a task", async () => {
      const flow = flowOf(function* () {
        let sum = 0;
        for (let i = 0; i < 1000; i++) sum += (yield* call(pure, i)) as number;
        return sum;
      });
      const engine = await openWith(flow);
      expect(await engine.runTask(await create(engine))).toMatchObject({
        status: "COMPLETED",
        output_payload: 499_500,
        current_step: 1000,
      });
    });
  });

  describe("the limit of steps", () => {
    const exceeded = "The flow plans more than 3 steps, the limit of a task here (TASKONAUT_MAX_STEPS).";

    /** Makes transitions until the task is parked, or ended. */
    async function advanceFar(flow: Flow, id: string, isAlwaysNew: boolean): Promise<Task> {
      let engine = await openWith(flow, { stepsPerTask: 3 });
      for (let i = 0; i < 20; i++) {
        if (isAlwaysNew) engine = await openWith(flow, { stepsPerTask: 3 });
        try {
          await engine.advanceTask(id);
        } catch (error) {
          expect(String(error)).toContain(`is parked. ${exceeded}`);
          return engine.getTask(id);
        }
      }
      return engine.getTask(id);
    }

    test("lets a flow through that keeps to it", async () => {
      const flow = flowOf(function* () {
        for (let i = 0; i < 3; i++) yield* call(pure, i);
      });
      const engine = await openWith(flow, { stepsPerTask: 3 });
      expect(await engine.runTask(await create(engine))).toMatchObject({ status: "COMPLETED" });
    });

    for (const isAlwaysNew of [false, true]) {
      const engines = isAlwaysNew ? "with a new engine for every transition" : "with one engine";
      test(`parks a task that plans too many at its start, as it was, ${engines}`, async () => {
        const flow = flowOf(function* () {
          yield* all([1, 2, 3, 4].map((i) => call(pure, i)));
        });
        const id = await create(await openWith(flow));
        expect(await advanceFar(flow, id, isAlwaysNew)).toMatchObject({
          status: "PLANNED",
          parked_reason: expect.stringContaining(exceeded),
          steps: [],
        });
      });

      test(`parks a task that never stops planning, and where there may be more steps it goes on, ${engines}`, async () => {
        const flow = flowOf(function* () {
          for (let i = 0; i < 5; i++) yield* call(pure, 1);
        });
        const id = await create(await openWith(flow));
        expect(await advanceFar(flow, id, isAlwaysNew)).toMatchObject({
          parked_reason: expect.stringContaining(exceeded),
          current_step: 3,
        });
        const resumed = await (await openWith(flow)).runTask(id);
        expect(resumed).toMatchObject({ status: "COMPLETED", current_step: 5, parked_reason: null });
      });
    }

    test("is for what is planned from now on: what is recorded stands, and is run to its end", async () => {
      const flow = flowOf(function* () {
        yield* all([1, 2, 3, 4, 5].map((i) => call(pure, i)));
        return "ended";
      });
      const engine = await openWith(flow);
      const id = await create(engine);
      await engine.advanceTask(id);
      const lower = await openWith(flow, { stepsPerTask: 3 });
      expect(await lower.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: "ended" });
    });

    test("leaves room to clean up", async () => {
      const flow = flowOf(function* () {
        try {
          yield* call(pure, 1);
          yield* call(pure, 2);
          yield* sleep("1h");
        } finally {
          yield* call(pure, "tidy up");
        }
      });
      const engine = await openWith(flow, { stepsPerTask: 3 });
      const id = await create(engine);
      await engine.runTask(id);
      const ended = await engine.cancelTask(id);
      expect(ended.status).toBe("CANCELLED");
      expect(ended.steps[3]?.output_payload).toBe("tidy up");
    });

    test("aborts what still runs, and a later process calls it again", async () => {
      const slow = new Gate("slow");
      const flow = flowOf(function* () {
        const many = function* (): Generator<Operation<unknown>, void, unknown> {
          for (let i = 0; i < 4; i++) yield* call(effect, 1);
        };
        yield* all([call(slow.tool, 1), many()]);
      });
      const engine = await openWith(flow, { stepsPerTask: 3 });
      const id = await create(engine);
      expect(String(await rejection(engine.runTask(id)))).toContain(exceeded);
      const parked = await engine.getTask(id);
      expect(parked).toMatchObject({ lease_owner: null, parked_reason: expect.stringContaining(exceeded) });
      expect(slow.calls[0]?.signal.aborted).toBe(true);
      slow.end(0, "late");
      expect(await engine.getTask(id)).toEqual(parked);
    });
  });

  test("a flow that uses up the stack of its process is parked, and goes on where it does not", async () => {
    let isDeep = true;
    const sink = (n: number): number => 1 + sink(n + 1);
    const flow = flowOf(function* () {
      yield* call(pure, 1);
      if (isDeep) sink(0);
      return "ended";
    });
    const engine = await openWith(flow);
    const id = await create(engine);
    expect(String(await rejection(engine.runTask(id)))).toContain("used up what this process has");
    isDeep = false;
    expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: "ended" });
  });
}

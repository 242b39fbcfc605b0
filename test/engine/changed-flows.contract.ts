// Tasks whose flow has other code by now than the one that recorded them, or none.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, type Operation } from "../../src/core/flow/operation.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Bench } from "../support/bench.ts";
import { rejection } from "../support/rejection.ts";
import { giveBack } from "../support/tools.ts";

type Run = () => Generator<Operation<unknown>, unknown, unknown>;
const flowOf = (run: Run): Flow => defineFlow({ name: "sample", input: v.object({}), run });

const pure = giveBack("pure", { execution: "pure" });
const effect = giveBack("effect");

export function changedFlowContract(bench: Bench): void {
  const openWith = (flow: Flow): Promise<Taskonaut> => bench.openEngine({ flows: [flow] });
  const create = async (engine: Taskonaut): Promise<string> =>
    (await engine.createTask({ flow: "sample", input: {} })).task.id;

  describe("a flow whose code has changed since", () => {
    const run = (second: number): Run =>
      function* () {
        yield* call(pure, 1, { as: "first" });
        return yield* call(pure, second, { as: "second" });
      };
    const reason =
      "step 2 was recorded as tool second (pure) at /1 with 2, now it decides tool second (pure) at /1 with 3";

    for (const made of [3, 4]) {
      test(`is parked after ${made} transitions, both sides shown, and completes when the code is put back`, async () => {
        const engine = await openWith(flowOf(run(2)));
        const id = await create(engine);
        await rejection(engine.runTask(id, { maxSteps: made }));
        const before = await engine.getTask(id);

        const changed = await openWith(flowOf(run(3)));
        const parked = { code: "task_parked", status: 409, message: expect.stringContaining(reason) };
        for (let i = 0; i < 2; i++) {
          expect(await rejection(changed.advanceTask(id))).toMatchObject(parked);
          expect(await rejection(changed.runTask(id))).toMatchObject(parked);
        }
        const task = await changed.getTask(id);
        expect(task).toEqual({
          ...before,
          parked_reason: expect.stringContaining(reason),
          updated_at: task.updated_at,
        });

        // also where the engine that recorded it still has it in memory
        for (const back of made === 3 ? [engine] : [await openWith(flowOf(run(2)))]) {
          expect(await back.runTask(id)).toMatchObject({ status: "COMPLETED", output_payload: 2, parked_reason: null });
        }
      });
    }

    for (let made = 0; made <= 4; made++) {
      for (const tool of [pure, effect]) {
        test(`and is put back after ${made} transitions of ${tool.name} tools completes step by step in a new engine`, async () => {
          const plan = (text: string): Flow =>
            defineFlow({
              name: "sample",
              input: v.object({}),
              plan: () => [call(tool, text, { as: "first" }), call(tool, text, { as: "second" })],
            });
          const engine = await openWith(plan("before"));
          const id = await create(engine);
          if (made > 0) await rejection(engine.runTask(id, { maxSteps: made }));
          const changed = await openWith(plan("after"));
          const told = "step 1 was recorded as tool first (";
          expect(await rejection(changed.advanceTask(id))).toMatchObject({
            code: "task_parked",
            message: expect.stringContaining(told),
          });
          const back = await openWith(plan("before"));
          let task = await back.getTask(id);
          expect(task.parked_reason).toContain(told);
          for (let i = made; i < 5; i++) {
            task = await back.advanceTask(id);
            expect(task.parked_reason).toBeNull();
          }
          expect(task).toMatchObject({ status: "COMPLETED", output_payload: { first: "before", second: "before" } });
        });
      }
    }

    test("is parked by everybody who asks at once", async () => {
      const engine = await openWith(flowOf(run(2)));
      const id = await create(engine);
      await rejection(engine.runTask(id, { maxSteps: 3 }));
      const changed = await Promise.all([1, 2, 3].map(() => openWith(flowOf(run(3)))));
      const told = await Promise.all(
        changed.flatMap((each) => [rejection(each.advanceTask(id)), rejection(each.runTask(id))]),
      );
      for (const error of told) expect(error).toMatchObject({ code: "task_parked" });
    });

    test("or is not there at all is told so, and the task is left alone", async () => {
      const engine = await openWith(flowOf(run(2)));
      const id = await create(engine);
      const without = await bench.openEngine();
      const calls = [without.advanceTask(id), without.runTask(id)];
      for (const error of await Promise.all(calls.map((each) => rejection(each)))) {
        expect(error).toMatchObject({
          code: "flow_not_loaded",
          status: 409,
          message: expect.stringContaining("flow sample"),
        });
      }
      expect(await without.getTask(id)).toEqual(await engine.getTask(id));
      expect(await engine.runTask(id)).toMatchObject({ status: "COMPLETED" });
      expect(await without.runTask(id)).toMatchObject({ status: "COMPLETED" });
    });
  });
}

// A tool that takes its process with it each time (HK1): it is given no fourth one, and takes nobody else with it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import type { Clock } from "../../src/core/clock.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { benchOn, type Doomed } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, when } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { turnOfLoop } from "../../src/turn-of-loop.ts";
import { until } from "../support/until.ts";

const DEATHS = 3;
const BYSTANDERS = 4;

/** Of those that die: their process lives on, so that it is the lease that tells. */
const LEASE_MS = 500;

/** From one look of a driver at what runs to the next. */
const LOOK_MS = 500;

describe.each(DATABASES)("a tool that kills its process on %s", (_name, create) => {
  const bench = benchOn(create);

  test.each<Execution>(["at-least-once", "pure"])(
    "and is %s parks its task after three deaths; those beside it complete, and it may be taken up again",
    async (execution) => {
      let doomed: Doomed | undefined;
      let isMended = false;
      let kills = 0;
      /** In this process. */
      let beside = 0;
      const never = new Promise<never>(() => {});
      const kill = async (): Promise<never> => {
        const dying = doomed;
        doomed = undefined;
        await dying?.die();
        kills += 1;
        return never;
      };
      let atFull: (() => void) | undefined;
      const calls = new Map<string, number>();
      const poison = defineTool({
        name: "poison",
        input: v.unknown(),
        output: v.string(),
        execution,
        run: (): string | Promise<string> => {
          if (isMended) return "mended";
          // of the first two deaths the others may as well be the cause
          if (kills >= 2 || beside === BYSTANDERS) return kill();
          return new Promise<string>((_resolve, reject) => {
            atFull = () => {
              kill().catch(reject);
            };
          });
        },
      });
      const bystander = defineTool({
        name: "bystander",
        input: v.unknown(),
        output: v.string(),
        execution,
        run: (_, { taskId }): string | Promise<string> => {
          calls.set(taskId, (calls.get(taskId) ?? 0) + 1);
          beside += 1;
          if (kills >= 2) return "well";
          if (beside === BYSTANDERS) atFull?.();
          return never;
        },
      });
      const flows = [
        defineFlow({ name: `poison_${execution}`, input: v.unknown(), plan: () => [call(poison, 1)] }),
        defineFlow({ name: `bystander_${execution}`, input: v.unknown(), plan: () => [call(bystander, 1)] }),
      ] as const;

      const engine = await bench.openEngine({ flows });
      const deadly = await enqueue(engine, flows[0].name);
      const others = await Promise.all(Array.from({ length: BYSTANDERS }, () => enqueue(engine, flows[1].name)));
      for (let death = 1; death <= DEATHS; death++) {
        beside = 0;
        doomed = await bench.openDoomed({ flows, limits: { leaseMs: LEASE_MS } });
        await doomed.engine.startWorker({ concurrency: 20 });
        await when(engine, deadly, () => kills === death);
      }
      await engine.startWorker({ concurrency: 20 });
      const parked = await when(engine, deadly, ({ parked_reason }) => parked_reason !== null);
      expect(parked.parked_reason).toContain("step 1 (poison) died 3 times in a row");
      expect(parked).toMatchObject({ status: "RUNNING", lease_owner: null, due_at: null });
      for (const id of others) {
        expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", parked_reason: null });
      }
      expect(kills).toBe(DEATHS);
      expect(Math.max(...calls.values())).toBe(3);

      isMended = true;
      expect(await engine.resumeTask(deadly)).toMatchObject({ parked_reason: null, due_at: expect.any(String) });
      expect(await ended(engine, deadly)).toMatchObject({ status: "COMPLETED", output_payload: { poison: "mended" } });
    },
  );

  test("is marked before it starts also where a caller has the turn while the task is taken over", async () => {
    const gate = new Gate("taken_over");
    const flow = defineFlow({ name: "taken_over", input: v.unknown(), plan: () => [call(gate.tool, 1)] });
    const watcher = await bench.openEngine({ flows: [flow] });
    const store = await bench.openStore();
    const id = await enqueue(watcher, flow.name);
    const { engine: doomed, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
    await doomed.startWorker({ concurrency: 1 });
    await gate.called(1);
    const startsOf = async (): Promise<unknown> => (await store.readTask(id))?.steps.map(({ starts }) => starts);
    await until(async () => Bun.deepEquals(await startsOf(), [1]));

    const [reading, read, claimed] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    let isCaller = true;
    const engine = await bench.openEngine({
      flows: [flow],
      around: (given) => ({
        ...given,
        async readTask(taskId) {
          if (isCaller) {
            isCaller = false;
            reading?.resolve();
            await read?.promise;
          }
          return given.readTask(taskId);
        },
        async claimTasks(request) {
          const claim = await given.claimTasks(request);
          if (claim.tasks.length > 0) claimed?.resolve();
          return claim;
        },
      }),
    });
    const called = engine.runTask(id);
    await reading?.promise;
    await engine.startWorker({ concurrency: 1 });
    await die();
    await claimed?.promise;
    await turnOfLoop(); // of the worker, which drives what it has claimed in its next one
    await turnOfLoop();
    read?.resolve();
    await gate.called(2);
    expect(await startsOf()).toEqual([2]);
    gate.end(1, "well");
    expect((await called).status).toBe("COMPLETED");
  });

  test("twice and then works has done no harm, and counts from one again", async () => {
    let doomed: Doomed | undefined;
    let calls = 0;
    const never = new Promise<never>(() => {});
    const shaky = defineTool({
      name: "shaky",
      input: v.unknown(),
      output: v.number(),
      run: async () => {
        calls += 1;
        if (calls === 3 || calls === 6) return calls;
        await doomed?.die();
        return never;
      },
    });
    const flow = defineFlow({
      name: "shaky_twice",
      input: v.unknown(),
      plan: () => [call(shaky, 1), call(shaky, 2, { as: "again" })],
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    for (const count of [1, 2, 4, 5]) {
      doomed = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
      await doomed.engine.startWorker({ concurrency: 1 });
      await when(engine, id, () => calls >= count);
    }
    await engine.startWorker({ concurrency: 1 });
    expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: { shaky: 3, again: 6 } });
    const record = await (await bench.openStore()).readTask(id);
    expect(record?.steps.map(({ starts }) => starts)).toEqual([0, 0]);
  });

  test("is run alone after two deaths, and those that wait for that leave their places to others", async () => {
    const gate = new Gate("suspect");
    const flow = defineFlow({ name: "suspects", input: v.unknown(), plan: () => [call(gate.tool, 1)] });
    const engine = await bench.openEngine({ flows: [flow] });
    const ids = await Promise.all([1, 2, 3, 4].map(() => enqueue(engine, flow.name)));
    for (const called of [4, 8]) {
      const { engine: doomed, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
      await doomed.startWorker({ concurrency: 4 });
      await gate.called(called);
      await die();
    }
    await engine.startWorker({ concurrency: 4 });
    await gate.called(9);
    expect((await ended(engine, await enqueue(engine, "echo_add"))).status).toBe("COMPLETED");
    expect(gate.calls).toHaveLength(9);
    for (const next of [8, 9, 10, 11]) {
      await gate.called(next + 1);
      gate.end(next, "well");
    }
    for (const id of ids) expect((await ended(engine, id)).status).toBe("COMPLETED");
    expect(gate.calls).toHaveLength(12);
  });

  test("no step is a suspect any more that has ended beside one that runs on, or whose worker has left", async () => {
    const slow = new Gate("slow");
    const quick = giveBack("quick", { execution: "pure" });
    const flow = defineFlow({
      name: "quick_beside_slow",
      input: v.unknown(),
      run: function* () {
        yield* all([call(quick, 1), call(slow.tool, 2)]);
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const store = await bench.openStore();
    const id = await enqueue(engine, flow.name);
    const startsOf = async (): Promise<Record<string, number>> =>
      Object.fromEntries((await store.readTask(id))?.steps.map(({ step_name, starts }) => [step_name, starts]) ?? []);
    const { engine: doomed, die } = await bench.openDoomed({ flows: [flow], limits: { leaseMs: LEASE_MS } });
    await doomed.startWorker({ concurrency: 1 });
    await slow.called(1);
    await die();

    // no look at what runs comes to pass, which would write what there is
    const clock: Clock = {
      now: () => systemClock.now(),
      elapsed: () => systemClock.elapsed(),
      sleep: (ms, signal) => (ms === LOOK_MS ? new Promise(() => {}) : systemClock.sleep(ms, signal)),
    };
    const leaving = await bench.openEngine({ flows: [flow], clock });
    await leaving.startWorker({ concurrency: 1 });
    await slow.called(2);
    await until(async () => (await startsOf())["quick"] === 0);
    expect(await startsOf()).toEqual({ quick: 0, slow: 2 });
    await leaving.close();
    expect(await startsOf()).toEqual({ quick: 0, slow: 0 });

    await engine.startWorker({ concurrency: 1 });
    await slow.called(3);
    slow.end(2, "well");
    expect((await ended(engine, id)).status).toBe("COMPLETED");
  });
});

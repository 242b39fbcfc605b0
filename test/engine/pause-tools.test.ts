// Tools under a pause: what is paused by name, and what is told to stop.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import { all, call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { Effects, pausableOn } from "../support/pausable.ts";
import { until } from "../support/until.ts";

for (const [dialect, createDatabase] of DATABASES) {
  describe(`tools under a pause on ${dialect}`, () => {
    const bench = benchOn(createDatabase);
    const { open, create, ended } = pausableOn(bench);

    test("calls of a paused tool wait, whatever flow makes them, while other tools go on; they begin at once when it is over", async () => {
      const effects = new Effects();
      const [charge, ship] = [effects.tool("charge", "at-most-once"), effects.tool("ship")];
      const flowOf = (name: string): Flow =>
        defineFlow({
          name,
          input: v.unknown(),
          *run() {
            return yield* all({ charge: call(charge, {}), ship: call(ship, {}) });
          },
        });
      const flows = [flowOf("order"), flowOf("gift")];
      let claims = 0;
      const works = await open(flows, (store) => ({
        ...store,
        claimTasks: (request) => {
          claims += 1;
          return store.claimTasks(request);
        },
      }));
      const other = await open(flows);
      await other.pauses.pause({ scope: "tool", name: "charge" }, { reason: "the bank is down" });
      await works.startWorker({ concurrency: 5 });
      const queued = [await create(other, "now"), await create(other, "now", "gift")];
      const byHand = await create(other, undefined);
      const wait = { kind: "pause", name: "charge", until: null, task_id: null, reason: "the bank is down" };
      expect(await other.runTask(byHand)).toMatchObject({ status: "WAITING_OBSERVATION", waiting_for: [wait] });
      const ids = [...queued, byHand];
      for (const id of ids) {
        const task = await until(async () => {
          const found = await other.getTask(id);
          return found.lease_owner === null && found.waiting_for.length > 0 && found;
        });
        expect(task).toMatchObject({ waiting_for: [wait], current_step: 2 });
      }
      expect(effects.begun).toEqual(["ship", "ship", "ship"]);
      const before = claims;
      await Bun.sleep(300); // three seconds for the engines: nobody goes round in circles
      expect(claims - before).toBeLessThan(10);
      await other.pauses.unpause({ scope: "tool", name: "charge" });
      for (const id of ids) await ended(other, id);
      expect(effects.begun.filter((name) => name === "charge")).toHaveLength(3);
      // once more, with the same tasks gone: nothing is left of the first pause
      await other.pauses.pause({ scope: "tool", name: "charge" });
      const again = await create(other, "now");
      await until(async () => (await other.getTask(again)).waiting_for.length > 0);
      await other.pauses.unpause({ scope: "tool", name: "charge" });
      await ended(other, again);
    });

    test("with abort what runs is told to stop, is no failed attempt, and is called again with its key; an at-most-once tool runs on", async () => {
      const keys: string[] = [];
      const told: string[] = [];
      const listens = (name: string, execution: Execution): Tool =>
        defineTool({
          name,
          input: v.unknown(),
          output: v.string(),
          execution,
          retry: { attempts: 1 },
          run: async (_input, { signal, idempotencyKey }) => {
            keys.push(`${name} ${idempotencyKey}`);
            if (keys.filter((key) => key.startsWith(name)).length > 1) return name;
            const end = Promise.withResolvers<string>();
            signal.addEventListener("abort", () => {
              told.push(name);
              end.reject(signal.reason as Error);
            });
            if (execution === "at-most-once") gate.promise.then(() => end.resolve(name)).catch(() => {});
            return end.promise;
          },
        });
      const gate = Promise.withResolvers<void>();
      const [often, once] = [listens("often", "at-least-once"), listens("once", "at-most-once")];
      const flow = defineFlow({
        name: "order",
        input: v.unknown(),
        *run() {
          return yield* all({ often: call(often, {}), once: call(once, {}) });
        },
      });
      const [works, other] = [await open([flow]), await open([flow])];
      await works.startWorker({ concurrency: 1 });
      const id = await create(other, "now");
      await until(() => keys.length === 2);
      await other.pauses.pause({ scope: "flow", name: "order" }, { abort: true });
      expect(told).toEqual(["often"]);
      gate.resolve();
      const task = await until(async () => {
        const found = await other.getTask(id);
        return found.lease_owner === null && found;
      });
      expect(task.steps.map(({ step_name, status, doubt }) => [step_name, status, doubt])).toEqual([
        ["often", "RUNNING", null],
        ["once", "COMPLETED", null],
      ]);
      await other.pauses.unpause({ scope: "flow", name: "order" });
      await ended(other, id);
      expect(new Set(keys).size).toBe(2);
      expect(keys).toHaveLength(3);
      const calls = (await other.getTask(id)).tool_calls;
      expect(calls.map(({ retry_count, last_error }) => [retry_count, last_error])).toEqual([
        [0, null],
        [0, null],
      ]);
    });
  });
}

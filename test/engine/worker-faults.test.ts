// What a worker does where the database's answer is lost, and with tasks that were parked by other code.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, waitForSignal, type Operation } from "../../src/core/flow/operation.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { faultyStore } from "../support/faulty-store.ts";
import { ended, enqueue, waiting, when } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";

/** So often, at least, a worker looks for what other code has parked. */
const MINUTE_MS = 60_000;

const lost = (): TaskonautError => new TaskonautError("database_unavailable", "The answer was lost.");

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const bench = benchOn(create);

  test.each(["done, but the answer is lost", "not done"])("drives all its tasks where a claim is %s", async (fault) => {
    let failures = 0;
    const around = (store: Store): Store => ({
      ...store,
      claimTasks: async (request) => {
        const isFaulty = failures < 3;
        if (!isFaulty) return store.claimTasks(request);
        if (fault === "not done") {
          failures += 1;
          throw lost();
        }
        const claim = await store.claimTasks(request);
        if (claim.tasks.length === 0) return claim;
        failures += 1;
        throw lost();
      },
    });
    const engine = await bench.openEngine({ around });
    const ids = await Promise.all(Array.from({ length: 10 }, () => enqueue(engine, "echo_add")));
    await engine.startWorker({ concurrency: 4 });
    for (const id of ids) expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", lease_owner: null });
    expect(failures).toBe(3);
  });

  test.each(["done, but the answer is lost", "not done"])(
    "calls each tool once where any of its writes is %s",
    async (fault) => {
      for (let number = 1; number <= 12; number++) {
        const calls = new Map<string, number>();
        const count = (name: string, execution: "at-least-once" | "at-most-once") => ({
          ...giveBack(name, { execution }),
          run: (input: unknown, { idempotencyKey }: { readonly idempotencyKey: string }) => {
            calls.set(idempotencyKey, (calls.get(idempotencyKey) ?? 0) + 1);
            return input;
          },
        });
        const flow = defineFlow({
          name: `faulty_${fault === "not done" ? "a" : "b"}_${number}`,
          input: v.unknown(),
          plan: () => [
            call(count("first", "at-least-once"), 1),
            call(count("second", "at-most-once"), 2),
            call(giveBack("third", { execution: "pure" }), 3),
          ],
        });
        const creator = await bench.openEngine({ flows: [flow] });
        const ids = await Promise.all([1, 2, 3].map(() => enqueue(creator, flow.name)));
        let isOver = false;
        const around = (store: Store): Store =>
          faultyStore(store, async (at, write) => {
            // the first registers the worker: it does not start without
            if (at !== number + 1 || isOver) return write();
            if (fault !== "not done") await write();
            throw lost();
          });
        const engine = await bench.openEngine({ flows: [flow], around });
        await engine.startWorker({ concurrency: 2 });
        for (const id of ids) {
          expect(await ended(creator, id)).toMatchObject({
            status: "COMPLETED",
            lease_owner: null,
            output_payload: { first: 1, second: 2, third: 3 },
          });
        }
        expect([calls.size, Math.max(...calls.values())]).toEqual([6, 1]);
        isOver = true;
        await Promise.all([engine.close(), creator.close()]);
      }
    },
    60_000,
  );

  describe("with a task whose flow decides otherwise than is recorded", () => {
    type Body = Generator<Operation<unknown>, unknown, unknown>;

    let flows = 0;
    const coded = (name: string, code: string, run: () => Body): Flow => ({
      ...defineFlow({
        name,
        input: v.unknown(),
        signals: { go: v.unknown() },
        *run() {
          return yield* run();
        },
      }),
      code,
    });

    async function parked(): Promise<{ id: string; name: string; original: Flow }> {
      const name = `coded_${++flows}`;
      const original = coded(name, "code 1", function* () {
        yield* call(giveBack("first"), 1);
        return yield* waitForSignal("go");
      });
      const one = await bench.openEngine({ flows: [original] });
      await one.startWorker({ concurrency: 1 });
      const id = await enqueue(one, name);
      await waiting(one, id, "signal");
      await one.close();
      const edited = coded(name, "code 2", function* () {
        return yield* call(giveBack("other"), 2);
      });
      const two = await bench.openEngine({ flows: [edited] });
      await two.startWorker({ concurrency: 1 });
      const other = await bench.openEngine({ flows: [original] });
      await other.signalTask(id, { name: "go", payload: "went" });
      await when(two, id, ({ parked_reason }) => parked_reason !== null);
      const record = await (await bench.openStore()).readTask(id);
      expect(record?.task).toMatchObject({
        parked_reason: expect.stringContaining("Replay does not match"),
        parked_code: "code 2",
        due_at: null,
        lease_owner: null,
        status: "WAITING_OBSERVATION",
      });
      await two.close();
      return { id, name, original };
    }

    test("parks it; another with other code takes it up when it starts", async () => {
      const { id, original } = await parked();
      const three = await bench.openEngine({ flows: [original] });
      await three.startWorker({ concurrency: 1 });
      expect(await ended(three, id)).toMatchObject({
        status: "COMPLETED",
        output_payload: "went",
        parked_reason: null,
      });
    });

    test("parks it; another with the same code leaves it alone", async () => {
      const { id, name } = await parked();
      const gate = new Gate("never");
      const same = coded(name, "code 2", function* () {
        return yield* call(gate.tool, 2);
      });
      const three = await bench.openEngine({ flows: [same] });
      const before = await three.getTask(id);
      await three.startWorker({ concurrency: 1 });
      await ended(three, await enqueue(three, "echo_add"));
      expect(await three.getTask(id)).toEqual(before);
    });

    test("parks it, and leaves; one with the code it was recorded under, at work all the while, takes it up again", async () => {
      const name = `coded_${++flows}`;
      const waitOn = (tool: string) => () =>
        (function* (): Body {
          yield* call(giveBack(tool), 1);
          return yield* waitForSignal("go");
        })();
      const gate = new Gate("busy");
      const busy = defineFlow({ name: `${name}_busy`, input: v.unknown(), plan: () => [call(gate.tool, 1)] });
      let aheadMs = 0;
      const fresh = await bench.openEngine({
        flows: [coded(name, "code 2", waitOn("new")), busy],
        clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
      });
      await fresh.startWorker({ concurrency: 1 });
      const id = await enqueue(fresh, name);
      await waiting(fresh, id, "signal");
      await enqueue(fresh, busy.name);
      await gate.called();
      const old = await bench.openEngine({ flows: [coded(name, "code 1", waitOn("old"))] });
      await old.startWorker({ concurrency: 1 });
      await old.signalTask(id, { name: "go", payload: "went" });
      await when(fresh, id, ({ parked_reason }) => parked_reason !== null);
      await old.close();
      gate.end(0, "done");
      aheadMs = MINUTE_MS;
      expect(await ended(fresh, id)).toMatchObject({
        status: "COMPLETED",
        output_payload: "went",
        parked_reason: null,
      });
    });
  });
});

// One open task per key, whoever creates tasks, in whatever process; and tasks that are cancelled because they have not
// begun in time.

import { beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { OnConflict } from "../../src/core/flow/unique.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, defineFlow, defineTool, runChild, waitForSignal } from "../../src/sdk/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";

const Input = v.object({ customer: v.string(), n: v.optional(v.number(), 0) });

const undo = defineTool({ name: "undo", input: v.unknown(), output: v.string(), run: () => "undone" });

/** It waits for `go`, and cleans up where it is cancelled. */
function flowOf(onConflict: OnConflict, more: { expiresIn?: number } = {}): Flow {
  return defineFlow({
    name: onConflict,
    input: Input,
    unique: { key: ({ customer }) => customer, onConflict },
    signals: { go: v.unknown() },
    ...more,
    *run({ n }) {
      try {
        yield* waitForSignal("go");
        if (n < 0) throw new Error("less than nothing");
        return n;
      } finally {
        yield* call(undo, {});
      }
    },
  });
}

const FLOWS = [flowOf("refuse"), flowOf("join"), flowOf("replace")];

for (const [dialect, createDatabase] of DATABASES) {
  describe(`unique on ${dialect}`, () => {
    const bench = benchOn(createDatabase);
    // no test sees the keys of another
    let run = 0;
    beforeEach(() => {
      run += 1;
    });
    const key = (name: string): string => `${name} of ${run}`;

    const open = (flows: readonly Flow[] = FLOWS): Promise<Engine> => bench.openEngine({ flows });

    const create = async (engine: Engine, flow: string, customer: string, n = 0): Promise<string> =>
      (await engine.createTask({ flow, input: { customer, n } })).task.id;

    const end = async (engine: Engine, id: string): Promise<void> => {
      await engine.runTask(id);
      await engine.signalTask(id, { name: "go", payload: null });
      await engine.runTask(id);
    };

    test("a fork has the key of its task, and is refused while that or another one is open", async () => {
      const engine = await open();
      const first = await create(engine, "refuse", key("a"));
      await engine.runTask(first);
      const code = await rejection(engine.forks.create(first, { from: 1 }));
      expect(code).toMatchObject({ code: "unique_key_taken", details: { id: first } });
      await end(engine, first);
      const request = { from: 1, idempotencyKey: crypto.randomUUID() };
      const { task } = await engine.forks.create(first, request);
      expect(task.unique_key).toBe(key("a"));
      expect(await engine.forks.create(first, request)).toMatchObject({ created: false, task: { id: task.id } });
    });

    test("a second task of the key is refused and told which one is open; keys of other flows, and ended tasks, count for nothing", async () => {
      const [one, other] = [await open(), await open()];
      const first = await create(one, "refuse", key("c1"));
      expect((await one.getTask(first)).unique_key).toBe(key("c1"));
      const refused = await rejection(create(other, "refuse", key("c1"), 1));
      expect(refused).toMatchObject({
        code: "unique_key_taken",
        details: { id: first, flow: "refuse", key: key("c1") },
      });
      await create(other, "refuse", key("c2"));
      await create(other, "join", key("c1"));
      await end(one, first);
      const second = await create(other, "refuse", key("c1"));
      expect(second).not.toBe(first);
      // the same idempotency key is the same task, open or not
      const keyed = { flow: "refuse", input: { customer: key("c3") }, idempotencyKey: "k" };
      const made = await one.createTask(keyed);
      expect(await other.createTask(keyed)).toMatchObject({ created: false, task: { id: made.task.id } });
      await end(one, made.task.id);
      expect(await other.createTask(keyed)).toMatchObject({ created: false, task: { id: made.task.id } });
    });

    test("where the flow joins, the open task is given, whatever the new one would have been", async () => {
      const [one, other] = [await open(), await open()];
      const first = await create(one, "join", key("c1"), 1);
      const joined = await other.createTask({ flow: "join", input: { customer: key("c1"), n: 2 }, start: "now" });
      expect(joined).toMatchObject({ created: false, task: { id: first, input_payload: { n: 1 } } });
      const begun = await other.results.begin({ flow: "join", input: { customer: key("c1"), n: 3 } });
      expect(begun.id).toBe(first);
      const waited = await other.results.create({ flow: "join", input: { customer: key("c1"), n: 3 } }, { waitMs: 1 });
      expect(waited).toMatchObject({ created: false, task: { id: first } });
    });

    test("where the flow replaces, the open task is cancelled and has cleaned up before the new one is there", async () => {
      const [one, other] = [await open(), await open()];
      const first = await create(one, "replace", key("c1"), 1);
      await one.runTask(first);
      const second = await create(other, "replace", key("c1"), 2);
      const gone = await one.getTask(first);
      expect(gone).toMatchObject({ status: "CANCELLED", steps: [{}, { step_name: "undo", status: "COMPLETED" }] });
      const made = await one.getTask(second);
      expect(made).toMatchObject({ status: "PLANNED", input_payload: { n: 2 } });
      expect(Date.parse(made.created_at)).toBeLessThanOrEqual(Date.now());
    });

    test("where the task that is to be replaced does not end in time, nothing is created, and the caller is told", async () => {
      const stuck = Promise.withResolvers<string>();
      const slow = defineTool({ name: "slow", input: v.unknown(), output: v.string(), run: () => stuck.promise });
      const flow = defineFlow({
        name: "replace",
        input: Input,
        unique: { key: ({ customer }) => customer, onConflict: "replace" },
        *run() {
          return yield* call(slow, {});
        },
      });
      const engine = await bench.openEngine({ flows: [flow], limits: { busyMs: 300 } });
      const first = await create(engine, "replace", key("c1"));
      const running = engine.runTask(first).catch(() => {});
      await until(async () => (await engine.getTask(first)).lease_owner !== null);
      expect(await rejection(create(engine, "replace", key("c1")))).toMatchObject({ code: "task_busy" });
      stuck.resolve("done");
      await running;
      await until(async () => (await engine.getTask(first)).finished_at !== null);
      await create(engine, "replace", key("c1"));
    });

    test("where the task that is to be replaced is parked and cannot clean up, the caller is told at once, and what ends it", async () => {
      const once = (decided: number): Flow =>
        defineFlow({
          name: "replace",
          input: Input,
          signals: { go: v.unknown() },
          unique: { key: ({ customer }) => customer, onConflict: "replace" },
          *run() {
            yield* call(one, decided);
            yield* waitForSignal("go");
          },
        });
      const one = defineTool({ name: "one", input: v.number(), output: v.number(), run: (n) => n });
      const before = await bench.openEngine({ flows: [once(1)] });
      const first = await create(before, "replace", key("c1"));
      await before.runTask(first);
      // no patience is needed: a wait for its end would be one without an end
      const after = await bench.openEngine({ flows: [once(2)], limits: { busyMs: 600_000 } });
      for (let tries = 0; tries < 2; tries++) {
        expect(await rejection(create(after, "replace", key("c1")))).toMatchObject({
          code: "task_parked",
          details: { id: first },
          message: expect.stringMatching(/is parked\. .*A cancel by force ends it now/),
        });
      }
      await after.cancelTask(first, { force: true });
      await create(after, "replace", key("c1"));
    });

    for (const onConflict of ["refuse", "join", "replace"] as const) {
      test(`many engines that create tasks of a few keys at once leave one open for each key: ${onConflict}`, async () => {
        const engines = await Promise.all([open(), open(), open(), open()]);
        const asked = Array.from({ length: 60 }, (_, n) => ({
          engine: engines[n % 4] as Engine,
          customer: key(`c${n % 3}`),
          n,
        }));
        const results = await Promise.allSettled(
          asked.map(({ engine, customer, n }) => engine.createTask({ flow: onConflict, input: { customer, n } })),
        );
        const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
        for (const failure of failures)
          expect(failure).toMatchObject({ code: expect.stringMatching(/^(unique_key_taken|task_busy)$/) });
        const store = await bench.openStore();
        const made = results.flatMap((result) =>
          result.status === "fulfilled" && result.value.created ? [result.value.task.id] : [],
        );
        const rows = await Promise.all(made.map((id) => store.readTaskRow(id)));
        const openRows = rows.filter((row) => row?.finished_at === null);
        expect(new Set(openRows.map((row) => row?.unique_key))).toEqual(new Set(["c0", "c1", "c2"].map(key)));
        expect(openRows).toHaveLength(3);
        if (onConflict === "refuse") expect([made.length, failures.length]).toEqual([3, 57]);
        if (onConflict === "join") expect([made.length, failures.length]).toEqual([3, 0]);
        if (onConflict !== "replace") return;
        // nothing was lost: each that was replaced has ended as cancelled
        expect(rows.filter((row) => row?.status === "CANCELLED")).toHaveLength(made.length - 3);
      }, 60_000);
    }

    test("a child does not replace its own parent, which would wait for it in vain", async () => {
      const own: Flow = defineFlow({
        name: "replace",
        input: Input,
        unique: { key: ({ customer }) => customer, onConflict: "replace" },
        *run({ customer, n }) {
          return n === 0 ? yield* runChild(own, { customer, n: 1 }) : n;
        },
      });
      const engine = await open([own]);
      const { task } = await engine.createTask({ flow: "replace", input: { customer: key("c1") } });
      const ended = await engine.runTask(task.id);
      expect(ended).toMatchObject({ status: "FAILED", steps: [{ status: "FAILED" }] });
      expect(ended.error_message).toContain(`Task ${task.id} of flow replace has the key`);
    });

    test("a failed task is not opened again while another one has its key, and the caller is told which", async () => {
      const engine = await open();
      const failed = await create(engine, "refuse", key("c1"), -1);
      await end(engine, failed);
      expect((await engine.getTask(failed)).status).toBe("FAILED");
      const flaky = defineTool({
        name: "flaky",
        input: v.unknown(),
        output: v.string(),
        retry: { attempts: 1 },
        run: () => {
          throw new Error("no");
        },
      });
      const flow = defineFlow({
        name: "fails",
        input: Input,
        unique: { key: ({ customer }) => customer },
        *run() {
          return yield* call(flaky, {});
        },
      });
      const fails = await open([flow]);
      const first = await create(fails, "fails", key("c1"));
      expect((await fails.runTask(first)).status).toBe("FAILED");
      const second = await create(fails, "fails", key("c1"));
      expect(await rejection(fails.retryTask(first))).toMatchObject({
        code: "task_not_retryable",
        message: expect.stringContaining(second),
      });
      await fails.runTask(second);
      expect((await fails.retryTask(first)).status).toBe("RUNNING");
    });

    test("a child whose key is taken fails its step, which its parent may catch", async () => {
      const child = flowOf("join");
      const parent = defineFlow({
        name: "parent",
        input: v.unknown(),
        *run() {
          try {
            return yield* runChild(child, { customer: key("c1") });
          } catch (error) {
            return (error as Error).message;
          }
        },
      });
      const engine = await open([child, parent]);
      const first = await create(engine, "join", key("c1"));
      const { task } = await engine.createTask({ flow: "parent", input: {} });
      expect((await engine.runTask(task.id)).output_payload).toContain(
        `Task ${first} of flow join has the key "${key("c1")}"`,
      );
    });

    test("a task that has not begun in time is cancelled with that reason, by a worker that has not even its flow, or by whoever would begin it", async () => {
      const quick = flowOf("refuse", { expiresIn: 1000 });
      const engine = await open([quick]);
      const [late, byHand] = [
        await create(engine, "refuse", key("late")),
        await create(engine, "refuse", key("by hand")),
      ];
      const begun = await create(engine, "refuse", key("begun"));
      const own = await engine.createTask({ flow: "refuse", input: { customer: key("own") }, expiresIn: 3_600_000 });
      const later = await engine.createTask({
        flow: "refuse",
        input: { customer: key("later") },
        start: Date.now() + 3_600_000,
      });
      await engine.runTask(begun);
      expect((await engine.getTask(begun)).expires_at).toBeNull();
      expect(Date.parse(own.task.expires_at ?? "") - Date.parse(own.task.created_at)).toBeGreaterThan(3_500_000);
      expect(Date.parse(later.task.expires_at ?? "") - Date.parse(later.task.due_at ?? "")).toBe(1000);
      const expired = { status: "CANCELLED", cancel_reason: expect.stringMatching(/^expired: it had not begun by 20/) };
      await until(async () => Date.now() > Date.parse((await engine.getTask(byHand)).expires_at ?? "") + 50);
      expect(await engine.runTask(byHand)).toMatchObject(expired);
      const worker = await open([]);
      await worker.startWorker({ concurrency: 1 });
      const task = await until(async () => {
        const found = await engine.getTask(late);
        return found.finished_at !== null && found;
      });
      expect(task).toMatchObject({ ...expired, expires_at: null, steps: [] });
      for (const id of [begun, own.task.id, later.task.id]) expect((await engine.getTask(id)).finished_at).toBeNull();
      for (const expiresIn of [999, 1.5, Number.NaN]) {
        const refused = engine.createTask({ flow: "refuse", input: { customer: key("x") }, expiresIn });
        expect(await rejection(refused)).toMatchObject({ code: "input_invalid", errors: [{ path: "expires_in" }] });
      }
      // its key is free again
      await create(engine, "refuse", key("late"));
    });

    test("a worker that has nothing to do hears of a task that expires, and cancels it in time", async () => {
      let looks = 0;
      const around = (store: Store): Store => ({
        ...store,
        admission: {
          ...store.admission,
          findExpired: (limit) => {
            looks += 1;
            return store.admission.findExpired(limit);
          },
        },
      });
      const worker = await bench.openEngine({ flows: [], around });
      await worker.startWorker({ concurrency: 1 });
      await until(async () => looks > 0);
      const engine = await open([flowOf("refuse", { expiresIn: 1000 })]);
      const id = await create(engine, "refuse", key("idle"));
      await until(async () => (await engine.getTask(id)).status === "CANCELLED");
      expect(looks).toBeLessThan(10);
    });
  });
}

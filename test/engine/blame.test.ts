// What is put down before a process is killed that does not end: the task that was the cause is counted, and
// what else the process held is nobody's suspect.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { call } from "../../src/core/flow/operation.ts";
import { blameOnPostgres } from "../../src/store/postgres/blame.ts";
import { blameOnSqlite } from "../../src/store/sqlite/blame.ts";
import type { Culprit } from "../../src/store/blame.ts";
import { changeOf, scheduleRow } from "../contract/rows.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { until } from "../support/until.ts";
import { giveBack } from "../support/tools.ts";

const DEADLINE_MS = 5000;
const DEATHS_MAX = 3;

function blameOn(url: string, culprit: Culprit, workerId: string): Promise<void> {
  const all = { ...culprit, workerId, seconds: 61.2, isKilled: true };
  return url.startsWith("sqlite:")
    ? blameOnSqlite(url.slice("sqlite:".length), all, DEADLINE_MS)
    : blameOnPostgres({ url, schema: "taskonaut" }, all, DEADLINE_MS);
}

describe.each(DATABASES)("a process that is killed for a task on %s", (_name, create) => {
  const bench = benchOn(create);
  const blocking = giveBack("blocking");
  const flow = defineFlow({
    name: "blamed",
    input: v.unknown(),
    plan: () => [call(blocking, 1), call(blocking, 2, { as: "again" })],
  });

  /** Somebody claims all that is due, and is killed for one of them. */
  async function dieFor(taskId: string, stepId: string): Promise<readonly string[]> {
    const store = await bench.openStore();
    const workerId = Bun.randomUUIDv7();
    await store.registerWorker({ id: workerId, name: "doomed", leaseMs: 60_000, concurrency: 1 });
    const claim = await store.claimTasks({
      workerId,
      limit: 10,
      flows: [{ name: flow.name, limit: 10, heldMax: null }],
      deadOwners: [],
    });
    expect(claim.tasks.map(({ takenFrom }) => takenFrom)).toEqual(claim.tasks.map(() => null));
    const marked = claim.tasks.map(({ record: { task, steps } }) =>
      changeOf(task, {}, { changedSteps: steps.map((step) => ({ ...step, starts: 2 })) }),
    );
    await store.commitChanges(marked);
    await blameOn(bench.database.url, { taskId, stepId }, workerId);
    return claim.tasks.map(({ record }) => record.task.id);
  }

  test("parks it at the third in a row, and leaves the others to whoever comes next", async () => {
    const engine = await bench.openEngine({ flows: [flow] });
    const bad = await enqueue(engine, flow.name);
    const good = await enqueue(engine, flow.name);
    const stepId = (await engine.getTask(bad)).steps[0]?.id ?? "";
    for (let death = 1; death <= DEATHS_MAX; death++) {
      expect((await engine.getTask(bad)).parked_reason).toBeNull();
      const held = await dieFor(bad, stepId);
      expect(held).toContain(bad);
      expect(held).toContain(good);
      expect((await engine.getTask(good)).lease_owner).toBeNull();
      expect((await (await bench.openStore()).readTask(good))?.steps.map(({ starts }) => starts)).toEqual([0, 0]);
    }
    const { parked_reason, lease_owner, due_at } = await engine.getTask(bad);
    expect(parked_reason).toStartWith("The processes that ran step 1 (blocking) died 3 times in a row while it ran");
    expect([lease_owner, due_at]).toEqual([null, null]);

    await engine.resumeTask(bad);
    await dieFor(bad, "");
    expect((await engine.getTask(bad)).parked_reason).toBeNull(); // it counts from one again
    await engine.startWorker({ concurrency: 2 });
    for (const id of [bad, good]) expect((await ended(engine, id)).status).toBe("COMPLETED");
  });

  test("clears the other steps of its task of suspicion, and not the one that it died of", async () => {
    const engine = await bench.openEngine({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    const [one] = (await engine.getTask(id)).steps;
    const startsAfter = async (stepId: string): Promise<unknown> => {
      await dieFor(id, stepId);
      return (await (await bench.openStore()).readTask(id))?.steps.map(({ starts }) => starts);
    };
    expect(await startsAfter(one?.id ?? "")).toEqual([2, 0]);
    expect(await startsAfter("")).toEqual([0, 0]);
  });

  test("counts from one again where the task has come further meanwhile, and names its flow where no tool ran", async () => {
    const engine = await bench.openEngine({ flows: [flow] });
    const id = await enqueue(engine, flow.name);
    await dieFor(id, "");
    await dieFor(id, "");
    await engine.advanceTask(id);
    await dieFor(id, "");
    await dieFor(id, "");
    expect((await engine.getTask(id)).parked_reason).toBeNull();
    await dieFor(id, "");
    expect((await engine.getTask(id)).parked_reason).toContain("The processes that ran the code of flow blamed died");
  });

  test("counts it for the schedule whose firing was planned, and what is fired counts from one again", async () => {
    const store = await bench.openStore();
    const at = (await store.now()) - 1000;
    const row = scheduleRow({ name: "deadly", flow_name: flow.name, nominal_at: at, next_at: at });
    await store.schedules.insert(row);
    const engine = await bench.openEngine({ flows: [flow] });
    const die = (): Promise<void> =>
      blameOn(bench.database.url, { schedule: row.name, at: "/flows/night.ts:3:1" }, Bun.randomUUIDv7());
    await die();
    await die();
    const worker = await engine.startWorker({ concurrency: 2 });
    await until(async () => (await store.schedules.read(row.name))?.fired_count === 1);
    await worker.stop();
    expect((await store.schedules.read(row.name))?.deaths).toBe(0);
    for (let death = 1; death <= DEATHS_MAX; death++) {
      expect((await engine.schedules.get(row.name)).paused_at).toBeNull();
      await die();
    }
    expect((await engine.schedules.get(row.name)).pause_reason).toBe(
      "The processes that planned its tasks died 3 times in a row in the contract, keys, tags or plan of flow blamed (at /flows/night.ts:3:1): each was killed, for it held the event loop for 61.2 s in one go. Fix the flow, then resume the schedule with schedule resume deadly.",
    );
    expect((await engine.schedules.resume(row.name)).paused_at).toBeNull();
    expect((await store.schedules.read(row.name))?.deaths).toBe(0);
  });
});

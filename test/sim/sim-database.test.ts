// A simulation is worth as much as its database is like a real one: what the one says to a random course of statements,
// the other says too.

import { expect, test } from "bun:test";
import { END_STATUSES } from "../../src/core/flow/retention.ts";
import type { TaskRow } from "../../src/core/record/record.ts";
import { NEXT } from "../../src/core/record/status.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Change, InboxPost } from "../../src/store/store.ts";
import { callRow, changeOf, inStatus, plannedRecord, stepRow, T0 } from "../contract/rows.ts";
import { Random } from "./random.ts";
import { SimDatabase } from "./sim-database.ts";

const SEEDS = 60;
const STATEMENTS = 60;
const FLOWS = ["a", "b"];
const WORKERS = [1, 2, 3].map((n) => `00000000-0000-7000-8000-00000000000${n}`);

test("the simulated database does what SQLite does", async () => {
  const done = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) await compare(seed, done);
  // each of them happened, and not in vain
  for (const what of [
    "commit true",
    "commit false",
    "posted",
    "duplicate",
    "refused",
    "claimed",
    "released",
    "unparked",
    "removed",
    "busy",
  ]) {
    expect(done.get(what) ?? 0, what).toBeGreaterThan(5);
  }
});

async function compare(seed: number, done: Map<string, number>): Promise<void> {
  const random = new Random(seed);
  let now = T0;
  const database = new SimDatabase();
  const sqlite = await openSqliteStore({ path: ":memory:", now: () => now });
  for (const id of WORKERS) await sqlite.registerWorker({ id, name: id, leaseMs: 1000, concurrency: 1 });
  const ids: string[] = [];
  const count = (what: string, times = 1): unknown => done.set(what, (done.get(what) ?? 0) + times);

  for (let i = 0; i < STATEMENTS; i++) {
    now += random.int(0, 200);
    const id = ids.length > 0 ? random.pick(ids) : undefined;
    const task = id === undefined ? undefined : database.find(id)?.task;
    const kind = random.pick([
      "insert",
      "commit",
      "commit",
      "post",
      "post",
      "post",
      "claim",
      "release",
      "unpark",
      "remove",
    ]);
    const expectSame = async <T>(simulated: T, real: Promise<unknown>): Promise<T> => {
      const told: unknown = await real;
      expect(told, `seed ${seed}, statement ${i}: ${kind}`).toEqual(simulated);
      return simulated;
    };
    if (kind === "insert" || !task) {
      const due_at = random.chance(0.7) ? now + random.int(-300, 300) : null;
      const record = plannedRecord({
        id: random.uuid(),
        flow_name: random.pick(FLOWS),
        priority: random.int(3, 6),
        due_at,
      });
      ids.push(record.task.id);
      await expectSame(database.insertTasks([record, record]), sqlite.insertTasks([record, record]));
    } else if (kind === "commit") {
      const change = drawChange(random, task, ids, now);
      const [isWritten] = await expectSame(database.commitChanges([change], now), sqlite.commitChanges([change]));
      count(`commit ${isWritten}`);
    } else if (kind === "post") {
      const post = drawPost(random, task.id);
      count((await expectSame(database.postToTask(post, now), sqlite.postToTask(post))).kind);
    } else if (kind === "claim") {
      const request = {
        workerId: random.pick(WORKERS),
        limit: random.int(1, 4),
        flows: FLOWS.map((name) => ({ name, limit: random.int(1, 3), heldMax: random.pick([null, 1, 2]) })),
        deadOwners: WORKERS.filter(() => random.chance(0.3)),
      };
      count("claimed", (await expectSame(database.claimTasks(request, now), sqlite.claimTasks(request))).tasks.length);
    } else if (kind === "release") {
      const release = { workerId: random.pick(WORKERS), except: ids.filter(() => random.chance(0.3)) };
      count("released", await expectSame(database.releaseTasks(release, now), sqlite.releaseTasks(release)));
    } else if (kind === "remove") {
      const query = { flow: random.pick(FLOWS), status: random.pick(END_STATUSES), keptMs: random.int(0, 200) };
      const found = await expectSame(database.findEnded(query, now), sqlite.removal.findEnded(query));
      const removal = {
        ids: [...found.ids, ...ids.filter(() => random.chance(0.2))],
        ...(random.chance(0.5) && { keptMs: query.keptMs }),
        ...(random.chance(0.5) && { lease: { owner: random.pick(WORKERS), ms: random.int(0, 1500) } }),
      };
      const result = await expectSame(database.removeTasks(removal, now), sqlite.removal.removeTasks(removal));
      if (result.kind === "busy") count("busy");
      else count("removed", result.count);
    } else {
      const flows = FLOWS.map((name) => ({ name, code: random.pick(["old", "new"]) }));
      count("unparked", await expectSame(database.unparkTasks(flows, now), sqlite.unparkTasks(flows)));
    }
    for (const each of ids) {
      await expectSame(database.readTask(each), sqlite.readTask(each));
      const query = { names: ["go", "stop"].filter(() => random.chance(0.7)), after: random.pick([0, 0, 2]) };
      await expectSame(database.readInbox(each, query), sqlite.readInbox(each, query));
    }
  }
  await sqlite.close();
}

/** As a driver would make it, now and then one that has lost its task, or has not seen the latest of the inbox. */
function drawChange(random: Random, task: TaskRow, ids: readonly string[], now: number): Change {
  const next: readonly TaskRow["status"][] = NEXT[task.status];
  const status = next.length > 0 && random.chance(0.5) ? random.pick(next) : task.status;
  const isEnded = NEXT[status].length === 0;
  const parks = !isEnded && random.chance(0.2);
  const leases = !isEnded && !parks && random.chance(0.4);
  const reopens = task.status === "FAILED" && random.chance(0.5);
  const step = stepRow(task.id, {
    id: random.uuid(),
    path: random.uuid(),
    step_index: random.int(3, 1e6),
    starts: random.int(0, 2),
    ...(isEnded && !reopens && { status: "CANCELLED" }),
  });
  const others = ids.filter((id) => id !== task.id);
  const posts = others.length > 0 && random.chance(0.3) ? [drawPost(random, random.pick(others), null)] : [];
  return changeOf(
    task,
    {
      ...inStatus(status),
      ...(reopens && inStatus("RUNNING")),
      wake_seq: random.chance(0.7) ? task.wake_seq : Math.max(0, task.wake_seq - 1),
      due_at: (isEnded && !reopens) || parks || random.chance(0.3) ? null : now + random.int(-100, 500),
      lease_owner: leases ? random.pick(WORKERS) : null,
      parked_reason: parks ? "it does not match" : null,
      parked_code: parks ? random.pick(["old", "new"]) : null,
      flow_code: random.pick([null, "old", "new"]),
      updated_at: now,
    },
    {
      ...(random.chance(0.15) && { expectedVersion: task.version - 1 }),
      ...(random.chance(0.1) && { expectedOwner: "w9" }),
      reopens,
      newSteps: [step],
      newCalls: [callRow(step)],
      consumed: random.chance(0.3) ? [task.wake_seq] : [],
      posts,
    },
  );
}

function drawPost(random: Random, task_id: string, key: string | null = random.pick(["k1", "k2", null])): InboxPost {
  const none = { task_id, name: null, step_id: null, payload: null, error: null, attempt_epoch: null };
  const kind = random.pick(["signal", "signal", "cancel", "child", "resolve"] as const);
  switch (kind) {
    case "signal":
      return {
        ...none,
        kind,
        name: random.pick(["go", "stop"]),
        payload: random.pick(["1", '{"a": 1}', '{"a":1}']),
        idempotency_key: key,
      };
    case "cancel":
      return { ...none, kind, idempotency_key: null };
    case "child":
      return { ...none, kind, step_id: "s", payload: "1", idempotency_key: null };
    case "resolve":
      return { ...none, kind, step_id: "s", attempt_epoch: 0, idempotency_key: null };
  }
}

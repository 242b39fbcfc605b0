// What the queue promises of its statements on PostgreSQL: which rows they read, and how they write them. The server
// counts both. It is a server of their own: an open transaction of another database keeps rows from being HOT, too.

import { beforeEach, expect, test } from "bun:test";

import { claimTasks } from "../../src/store/postgres/claim.ts";
import { Frontier } from "../../src/store/postgres/frontier.ts";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { quoteSchema, type Schema } from "../../src/store/postgres/schema.ts";
import type { Store } from "../../src/store/store.ts";
import { openStore } from "../../src/store/open.ts";
import { TABLES } from "../../src/store/tables.ts";
import { migrate } from "./place.ts";
import { postgresBench } from "./postgres-bench.ts";
import { callRow, changeOf, inStatus, plannedRecord } from "./rows.ts";
import { databaseApart } from "../support/postgres.ts";
import { until } from "../support/until.ts";

const TASKS = 2000;
const BATCH = 200;
const HOUR_MS = 3_600_000;

const bench = postgresBench(databaseApart);

beforeEach(() => migrate(bench.place.address));

test("claims are HOT, so are changes of steps, and no statement that was planned on empty tables reads whole ones later", async () => {
  // It would bring new plans, and hold up what is HOT while it looks.
  for (const { name } of TABLES) {
    await bench.place.execute(`alter table ${name} set (autovacuum_enabled = off)`);
  }
  const store = await openStore(bench.place.address);
  const workerId = await register(store);
  const flows = [{ name: "echo_add", limit: BATCH, heldMax: null }];
  // From the sixth time on, a prepared statement may keep its plan.
  for (let round = 0; round < 8; round++) {
    expect((await store.claimTasks({ workerId, limit: BATCH, flows, deadOwners: [] })).tasks).toEqual([]);
  }
  const scansBefore = await counted("seq_scan");
  const records = Array.from({ length: TASKS }, () => plannedRecord({ due_at: Date.now() - 1000 }));
  for (let start = 0; start < TASKS; start += BATCH) await store.insertTasks(records.slice(start, start + BATCH));
  await drain(store, workerId);
  await store.close();
  await until(async () => (await counted("n_tup_upd"))["tasks"] === 2 * TASKS);
  // A task's last update leaves the index of the queue.
  expect((await counted("n_tup_hot_upd"))["tasks"]).toBe(TASKS);
  expect(await counted("n_tup_upd")).toMatchObject({ task_steps: 2 * TASKS });
  expect(await counted("n_tup_hot_upd")).toMatchObject({ task_steps: 2 * TASKS });
  expect(await counted("seq_scan")).toEqual(scansBefore);
}, 120_000);

test("a change of a task that goes on is HOT, whatever state it comes to", async () => {
  await bench.place.execute("alter table tasks set (autovacuum_enabled = off)");
  const store = await openStore(bench.place.address);
  const workerId = await register(store);
  const records = Array.from({ length: BATCH }, () => plannedRecord({ due_at: Date.now() - 1000 }));
  await store.insertTasks(records);
  const flows = [{ name: "echo_add", limit: BATCH, heldMax: null }];
  const { tasks } = await store.claimTasks({ workerId, limit: BATCH, flows, deadOwners: [] });
  const changes = tasks.map(({ record: { task } }) =>
    changeOf(task, { ...inStatus("RUNNING"), lease_owner: workerId, due_at: task.due_at }),
  );
  expect(await store.commitChanges(changes)).toEqual(Array.from({ length: BATCH }, () => true));
  await store.close();
  await until(async () => (await counted("n_tup_upd"))["tasks"] === 2 * BATCH);
  expect((await counted("n_tup_hot_upd"))["tasks"]).toBe(2 * BATCH);
});

test("what a flow's limit leaves in the queue is not read with every claim", async () => {
  const filler = await openStore(bench.place.address);
  for (let start = 0; start < TASKS; start += BATCH) {
    await filler.insertTasks(Array.from({ length: BATCH }, () => plannedRecord({ due_at: Date.now() - 1000 })));
  }
  await filler.close();
  await until(async () => (await counted("n_tup_ins"))["tasks"] === TASKS);
  await bench.place.execute("analyze tasks");
  const read = async (): Promise<number> =>
    ((await counted("idx_tup_fetch"))["tasks"] ?? 0) + ((await counted("seq_tup_read"))["tasks"] ?? 0);
  const before = await read();
  const store = await openStore(bench.place.address);
  const workerId = await register(store);
  const flows = [{ name: "echo_add", limit: BATCH, heldMax: 2 }];
  for (let claims = 0; claims < 20; claims++) {
    const { tasks } = await store.claimTasks({ workerId, limit: BATCH, flows, deadOwners: [] });
    expect(tasks).toHaveLength(claims === 0 ? 2 : 1);
    const [ended] = tasks;
    if (!ended) throw new Error("Nothing was claimed.");
    const end = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
    expect(await store.commitChanges([changeOf(ended.record.task, end)])).toEqual([true]);
  }
  await store.close();
  await until(async () => (await counted("n_tup_upd"))["tasks"] === 41);
  expect((await read()) - before).toBeLessThan(TASKS);
});

test("claims do not walk past all that has ended while a transaction keeps vacuum from taking it away", async () => {
  const store = await openStore(bench.place.address);
  const tasks = 2 * TASKS;
  const now = Date.now();
  const records = Array.from({ length: tasks }, (_, n) => plannedRecord({ due_at: now - tasks + n }));
  for (let start = 0; start < tasks; start += BATCH) await store.insertTasks(records.slice(start, start + BATCH));
  const holder = await bench.admin.reserve();
  await holder.unsafe(`begin isolation level repeatable read; select from ${bench.schema}.tasks limit 1`).simple();
  const workerId = await register(store);
  const client = new PostgresClient({ url: bench.url, connectionsMax: 1, deadlineMs: 20_000 });
  // each look at the clock is a millisecond later, so that every 21st claim is from the start
  let ms = 0;
  const frontier = new Frontier(() => (ms += 1));
  const flows = [{ name: "echo_add", limit: BATCH, heldMax: null }];
  for (let done = 0; done < tasks; done += BATCH) {
    const claim = await frontier.through({ workerId, limit: BATCH, flows, deadOwners: [] }, (places) =>
      claimTasks(client, quoteSchema(bench.schema), { workerId, limit: BATCH, flows, deadOwners: [] }, { places }),
    );
    const ends = claim.tasks.map(({ record: { task, steps } }) =>
      changeOf(
        task,
        { ...inStatus("COMPLETED"), lease_owner: null, due_at: null },
        {
          changedSteps: steps.map((step, index) => ({
            ...step,
            status: "COMPLETED",
            output_payload: "1",
            outcome_seq: index + 1,
          })),
        },
      ),
    );
    expect(ends).toHaveLength(BATCH);
    await store.commitChanges(ends);
  }
  await client.close();
  await store.close();
  await holder.unsafe("rollback");
  holder.release();
  const read = async (): Promise<number> => {
    const [row] = await bench.admin`
      select idx_tup_read::integer as count from pg_stat_user_indexes
      where schemaname = ${bench.schema} and indexrelname = 'tasks_due'`;
    return Number(row?.["count"]);
  };
  await until(async () => (await counted("n_tup_upd"))["tasks"] === 2 * tasks);
  // from the start each time it would be tasks²/2/BATCH, 40,000 and more
  expect(await read()).toBeLessThan(6 * tasks);
});

/** Claims and ends everything, two steps with a call each, as a worker does with a flow of pure tools. */
async function drain(store: Store, workerId: string): Promise<void> {
  const flows = [{ name: "echo_add", limit: BATCH, heldMax: null }];
  for (let done = 0; done < TASKS; done += BATCH) {
    const { tasks } = await store.claimTasks({ workerId, limit: BATCH, flows, deadOwners: [] });
    const changes = tasks.map(({ record: { task, steps } }) => {
      const end = { ...inStatus("COMPLETED"), lease_owner: null, due_at: null };
      const changedSteps = steps.map(
        (step, index) =>
          ({ ...step, status: "COMPLETED", output_payload: step.input_payload, outcome_seq: index + 1 }) as const,
      );
      return changeOf(task, end, { changedSteps, newCalls: steps.map((step) => callRow(step)) });
    });
    expect(await store.commitChanges(changes)).toEqual(Array.from({ length: BATCH }, () => true));
  }
}

test("a task that is written to while a claim comes by is not claimed with the steps that it had before", async () => {
  const store = await openStore(bench.place.address);
  const record = plannedRecord({ due_at: Date.now() - 1000 });
  const { task, steps } = record;
  await store.insertTasks([record]);
  await using gate = await openGate();
  const request = {
    workerId: await register(store),
    limit: 1,
    flows: [{ name: "echo_add", limit: 1, heldMax: null }],
    deadOwners: [],
  };
  const claim = claimTasks(gate.client, gate.schema, request);
  await until(() => gate.isWaitedAt());
  // by hand, of pure tools: it needs no lease, and the task stays in the queue
  const changedSteps = steps.map(
    (step) => ({ ...step, status: "COMPLETED", output_payload: "1", outcome_seq: 1 }) as const,
  );
  expect(await store.commitChanges([changeOf(task, inStatus("RUNNING"), { changedSteps })])).toEqual([true]);
  await gate.open();
  expect((await claim).tasks).toEqual([]);
  const [claimed] = (await store.claimTasks(request)).tasks;
  expect(claimed?.record.steps).toEqual(changedSteps);
  expect(claimed?.record).toEqual(await store.readTask(task.id));
  await store.close();
});

test("a worker that leaves while a claim of its is on its way stays known, so that others take what the claim gave it", async () => {
  const store = await openStore(bench.place.address);
  await store.insertTasks([plannedRecord({ due_at: Date.now() - 1000 })]);
  await using gate = await openGate();
  const workerId = await register(store, 500);
  const flows = [{ name: "echo_add", limit: 1, heldMax: null }];
  const claim = claimTasks(gate.client, gate.schema, { workerId, limit: 1, flows, deadOwners: [] });
  await until(() => gate.isWaitedAt());
  let hasLeft = false;
  const leave = async (): Promise<void> => {
    await store.removeWorker(workerId);
    hasLeft = true;
  };
  const leaving = leave();
  await until(async () => hasLeft || (await isWorkerWaitedFor()));
  await gate.open();
  const [{ tasks }] = await Promise.all([claim, leaving]);
  expect(tasks).toHaveLength(1);
  const deadOwners = [workerId];
  await until(async () => (await store.findDeadWorkers()).includes(workerId));
  const next = await store.claimTasks({ workerId: await register(store), limit: 1, flows, deadOwners });
  expect(next.tasks).toMatchObject([{ takenFrom: workerId }]);
  await store.close();
});

/** Whether somebody waits for the row of a worker, which another transaction holds. */
async function isWorkerWaitedFor(): Promise<boolean> {
  const waiting = await bench.admin`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'transactionid'
      and query like '%workers%'`;
  return waiting.length > 0;
}

interface Gate extends AsyncDisposable {
  /** The same tables, but whoever looks at a task waits until the gate is open. */
  readonly schema: Schema;
  readonly client: PostgresClient;
  isWaitedAt(): Promise<boolean>;
  open(): Promise<void>;
}

async function openGate(): Promise<Gate> {
  const { admin, schema: tables } = bench;
  const name = `gate_${tables}`;
  const lock = 711;
  await admin.unsafe(`
    create schema ${name};
    create function ${name}.pass(id uuid) returns boolean language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(${lock}); return true; end $$;
    create view ${name}.tasks as select * from ${tables}.tasks where ${name}.pass(id);
    create view ${name}.task_steps as select * from ${tables}.task_steps;
    create view ${name}.tool_calls as select * from ${tables}.tool_calls;
    create view ${name}.workers as select * from ${tables}.workers;
    create view ${name}.event_journal as select * from ${tables}.event_journal;
    create view ${name}.task_events as select * from ${tables}.task_events;
    create view ${name}.pauses as select * from ${tables}.pauses;
    select pg_advisory_lock(${lock});`);
  const client = new PostgresClient({ url: bench.url, connectionsMax: 1, deadlineMs: 20_000 });
  return {
    schema: quoteSchema(name),
    client,
    async isWaitedAt() {
      const waiting = await admin`
        select from pg_locks where locktype = 'advisory' and objid = ${lock} and not granted
          and database = (select oid from pg_database where datname = current_database())`;
      return waiting.length === 1;
    },
    async open() {
      await admin`select pg_advisory_unlock(${lock})`;
    },
    async [Symbol.asyncDispose]() {
      await admin.unsafe(`select pg_advisory_unlock_all(); drop schema ${name} cascade`);
      await client.close();
    },
  };
}

/** Gives the id of a worker that may claim. */
async function register(store: Store, leaseMs = HOUR_MS): Promise<string> {
  const id = crypto.randomUUID();
  await store.registerWorker({ id, name: "w", leaseMs, concurrency: BATCH });
  return id;
}

type Counter = "seq_scan" | "idx_tup_fetch" | "seq_tup_read" | "n_tup_ins" | "n_tup_upd" | "n_tup_hot_upd";

/** Sessions tell the server what they did when they end, at the latest. */
async function counted(counter: Counter): Promise<Record<string, number>> {
  const { admin, schema } = bench;
  const rows = await admin`
    select relname, ${admin(counter)}::integer as count from pg_stat_user_tables
    where schemaname = ${schema} and relname in ('tasks', 'task_steps', 'tool_calls')`;
  return Object.fromEntries(rows.map((row) => [row["relname"] as string, row["count"] as number]));
}

// What the store asks of PostgreSQL all the time has one plan, which looks rows up, and which seems cheap to the planner:
// on tables that are empty, small, large, or huge, analysed or not, with a plan for all parameters and with one for these.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { explain, findSystemServer, type Plan, type PlanMode, type Statement, takeDown } from "./postgres-plans.ts";
import { claimTasks } from "../../src/store/postgres/claim.ts";
import { commitChanges, insertTasks } from "../../src/store/postgres/commit.ts";
import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { ofFlows, ofTickets } from "../../src/store/postgres/figures.ts";
import { noteProgress } from "../../src/store/postgres/progress.ts";
import { findTasks, glance } from "../../src/store/postgres/find-tasks.ts";
import { postToTask, postToTasks, readInbox } from "../../src/store/postgres/inbox.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { listTasks, readTask } from "../../src/store/postgres/read.ts";
import { removalStore } from "../../src/store/postgres/removal.ts";
import { scheduleStore } from "../../src/store/postgres/schedules.ts";
import { searchTasks } from "../../src/store/postgres/search.ts";
import { quoteSchema } from "../../src/store/postgres/schema.ts";
import { ANY_TASK, type RowFilter } from "../../src/core/record/row-filter.ts";
import { Processes } from "../../src/store/processes.ts";
import { releaseOrphans, releaseTasks, unparkTasks } from "../../src/store/postgres/queue.ts";
import {
  deleteWorker,
  findSuspects,
  forgetDeadWorkers,
  listWorkers,
  renewWorker,
} from "../../src/store/postgres/workers.ts";
import type { Firing } from "../../src/store/schedule-store.ts";
import type { Change, InboxPost } from "../../src/store/store.ts";
import { createServer, type PostgresServer } from "../support/postgres-server.ts";
import { callRow, changeOf, plannedRecord, scheduleRow, stepRow, T0, taskRow } from "./rows.ts";

const SCHEMA = quoteSchema("taskonaut");
const TASKS = 2_000;
const COST_MAX = 10_000;
const WORKER = "0000000a-0000-4000-8000-000000000000";

const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

const claim = (flows: number, heldMax: number | null) => (client: PostgresClient) =>
  claimTasks(client, SCHEMA, {
    workerId: WORKER,
    limit: 200,
    flows: Array.from({ length: flows }, (_, n) => ({ name: n === 0 ? "echo_add" : `flow_${n}`, limit: 200, heldMax })),
    deadOwners: [],
  });

/** Half of the flows have keys, one in three a rate. */
const claimByKeys = (flows: number) => (client: PostgresClient) =>
  claimTasks(client, SCHEMA, {
    workerId: WORKER,
    limit: 200,
    flows: Array.from({ length: flows }, (_, n) => ({
      name: n === 0 ? "echo_add" : `flow_${n}`,
      limit: 200,
      heldMax: n % 4 === 0 ? 50 : null,
      ...(n % 2 === 0 && { keys: { heldMax: 1 } }),
      ...(n % 3 === 0 && { rate: { count: 100, perMs: 60_000 } }),
    })),
    deadOwners: [WORKER],
  });

const removalOn = (client: PostgresClient) => removalStore((use) => use(client), SCHEMA);

const post = (over: Partial<InboxPost> = {}): InboxPost => ({
  task_id: idOf(7),
  kind: "signal",
  name: "approved",
  step_id: null,
  payload: "1",
  error: null,
  idempotency_key: null,
  attempt_epoch: null,
  ...over,
});

/** `from` on: as many changes of tasks that there are where the tables hold any. */
function changes(count: number, rows: (task: string) => Partial<Change>): Change[] {
  return Array.from({ length: count }, (_, n) => {
    const task = taskRow({ id: idOf(n + 1), lease_owner: WORKER });
    return changeOf(task, {}, rows(task.id));
  });
}

const written = (taskId: string): Partial<Change> => {
  const step = stepRow(taskId);
  const next = stepRow(taskId, { step_index: 3 });
  return {
    changedSteps: [step],
    newSteps: [next],
    newCalls: [callRow(next)],
    changedCalls: [callRow(step)],
    consumed: [1, 2],
  };
};
const ended = (taskId: string): Partial<Change> => {
  const steps = [1, 2].map((index) => stepRow(taskId, { step_index: index }));
  return { changedSteps: steps, newCalls: steps.map((step) => callRow(step)) };
};
const posting = (taskId: string): Partial<Change> => ({
  ...written(taskId),
  posts: [post({ task_id: idOf(1000 + Number(taskId.slice(-4))) })],
});

const schedulesOn = (client: PostgresClient) => {
  const use = <Result>(run: (by: PostgresClient) => Promise<Result>): Promise<Result> => run(client);
  return scheduleStore(SCHEMA, { read: use, look: use, write: use });
};

const firings = (count: number): Firing[] =>
  Array.from({ length: count }, (_, n) => {
    const row = scheduleRow({ name: `s${n}`, version: 2 });
    const skip = { from_at: T0, until_at: T0, count: 1, kind: "missed", reason: "why", recorded_at: T0 } as const;
    return { row, tasks: [plannedRecord({ schedule: row.name })], skips: [{ schedule_name: row.name, ...skip }] };
  });

const HOT: Readonly<Record<string, (client: PostgresClient) => Promise<unknown>>> = {
  "claims of 1 flow": claim(1, null),
  "claims of 10 flows": claim(10, null),
  "claims of 100 flows": claim(100, null),
  "claims of 10 flows with limits": claim(10, 5),
  "claims of 10 flows with keys and rates": claimByKeys(10),
  "one insert": (client) => insertTasks(client, SCHEMA, [plannedRecord()]),
  "many inserts": (client) =>
    insertTasks(
      client,
      SCHEMA,
      Array.from({ length: 200 }, () => plannedRecord()),
    ),
  "one change": (client) => commitChanges(client, SCHEMA, changes(1, written)),
  "one change that posts": (client) => commitChanges(client, SCHEMA, changes(1, posting)),
  "many changes": (client) => commitChanges(client, SCHEMA, changes(200, written)),
  "many ends": (client) => commitChanges(client, SCHEMA, changes(200, ended)),
  "many changes that post": (client) => commitChanges(client, SCHEMA, changes(200, posting)),
  "reading a task": (client) => readTask(client, SCHEMA, idOf(7)),
  "the first page of a list": (client) => listTasks(client, SCHEMA, { limit: 101 }),
  "a page of a list": (client) => listTasks(client, SCHEMA, { limit: 101, after: { createdAt: T0, id: idOf(7) } }),
  "the tasks whose ids begin so": (client) =>
    findTasks(client, SCHEMA, { kind: "beginning", from: idOf(1), to: idOf(2_000) }),
  "a glance at tasks that are waited for": (client) =>
    glance(
      client,
      SCHEMA,
      Array.from({ length: 300 }, (_, n) => idOf(n + 1)),
    ),
  "noting progress": (client) =>
    noteProgress(client, SCHEMA, {
      workerId: WORKER,
      notes: [{ taskId: idOf(7), stepId: idOf(8), idempotencyKey: "k", progress: "{}" }],
    }),
  "the last task": (client) => findTasks(client, SCHEMA, { kind: "last", flow: null }),
  "the last task of a flow": (client) => findTasks(client, SCHEMA, { kind: "last", flow: "echo_add" }),
  "the flows of ended tasks": (client) => removalOn(client).listEndedFlows(),
  "ended tasks": (client) => removalOn(client).findEnded({ flow: "echo_add", status: "COMPLETED", keptMs: 1000 }),
  "removing tasks": (client) =>
    removalOn(client).removeTasks({ ids: [idOf(7), idOf(8)], keptMs: 1000, lease: { owner: WORKER, ms: 1000 } }),
  "looking for schedules that are due": (client) =>
    schedulesOn(client).readDue([
      { name: "echo_add", code: "built-in" },
      { name: "order", code: "x" },
    ]),
  "firing a schedule": (client) => schedulesOn(client).fire(firings(1)),
  "firing many schedules": (client) => schedulesOn(client).fire(firings(100)),
  "figures of flows": (client) => ofFlows(client, SCHEMA, ["echo_add", "order"]),
  "figures of tickets": (client) => ofTickets(client, SCHEMA),
  "reading an inbox": (client) => readInbox(client, SCHEMA, idOf(7), { names: ["approved", "paid"], after: 0 }),
  "a post": (client) => postToTask(client, SCHEMA, post()),
  "many posts": (client) =>
    postToTasks(
      client,
      SCHEMA,
      Array.from({ length: 200 }, (_, n) => post({ task_id: idOf(n + 1), idempotency_key: "k" })),
    ),
  "looking a key up": (client) => postToTask(client, SCHEMA, post({ idempotency_key: "k" })),
  "looking for dead workers": (client) => findSuspects(client.query.bind(client), SCHEMA, new Processes()),
  "renewing a lease": (client) => renewWorker(client.query.bind(client), SCHEMA, { id: WORKER, leaseMs: 1000 }),
};

/** What is done once in a while, or for a person: no index has the owner of a task, so it walks the queue. */
const SELDOM: typeof HOT = {
  "letting go of a worker's tasks": (client) => releaseTasks(client, SCHEMA, { workerId: WORKER, except: [idOf(7)] }),
  "letting go of what no worker's row holds": (client) => releaseOrphans(client, SCHEMA),
  "letting go of what other code has parked": (client) =>
    unparkTasks(client, SCHEMA, [{ name: "echo_add", code: "x" }]),
  "forgetting dead workers": (client) => forgetDeadWorkers(client, SCHEMA),
  "forgetting a worker": (client) => deleteWorker(client, SCHEMA, WORKER),
  "the list of workers": (client) => listWorkers(client, SCHEMA, new Processes()),
};

const LOOKS_UP = /^(Index Scan .*\(.+\)|Tid Scan )/;
/** Indexes that hold no task that has ended. */
const WALKS = /^Index Scan tasks tasks_(due|parked) /;

const search =
  (filter: Partial<RowFilter>) =>
  (client: PostgresClient): Promise<unknown> =>
    searchTasks(client, SCHEMA, { filter: { ...ANY_TASK, ...filter }, limit: 100 });

/** Searches, and what they are answered before the statement that is meant. */
const SEARCHES: Readonly<Record<string, readonly [ReturnType<typeof search>, ...unknown[][]]>> = {
  "a search by time of change": [search({ updated: { since: T0, until: null } })],
  "a search by flow": [search({ flows: ["echo_add"] })],
  "a search by flow and state": [search({ flows: ["echo_add"], statuses: ["FAILED", "PLANNED"] })],
  "a search by state": [search({ statuses: ["FAILED"], error: "timeout" }), [{ a: "echo_add", b: "FAILED" }]],
  "a search for what is parked": [search({ flows: ["echo_add"], isParked: true })],
  "a search for what needs a person": [
    search({ needsPerson: true }),
    [{ a: "echo_add", b: null }],
    [{ a: "echo_add", b: "2" }],
  ],
  "a search by signal": [search({ signals: ["approved"] }), [{ a: "echo_add", b: "2" }]],
  "a search for what a pause or a limit of its flow holds back": [
    search({
      waits: 80,
      pausedFlows: ["echo_add"],
      fullFlows: [{ name: "order", perKey: 2, dueBy: T0 }],
      flows: ["echo_add", "order"],
    }),
    [{ a: "echo_add", b: "64" }],
    [{ a: "echo_add", b: null }],
  ],
  "a search by tags": [
    search({
      tags: [
        { key: "customer", value: "c1" },
        { key: "region", value: "eu" },
      ],
    }),
  ],
  "a search by parent": [search({ parentId: idOf(1) })],
  "a search by schedule": [search({ schedule: "nightly" })],
  "a search by priority": [search({ priority: 0 })],
  "a list of what a search found": [
    (client) => listTasks(client, SCHEMA, { filter: { ...ANY_TASK, flows: ["echo_add"] }, limit: 100 }),
    Array.from({ length: 100 }, (_, n) => ({ id: idOf(n + 1), is_cut: false })),
  ],
};

/** In this order: each goes on from the one before. */
const STATES: Readonly<Record<string, string>> = {
  new: "select 1",
  "small and analysed": `${fill(1, 300)}; analyze`,
  "large and analysed": `${fill(301, TASKS)}; analyze`,
  vacuumed: "vacuum analyze",
  // the planner reckons with rows per page, times the pages that there are
  "huge by its statistics": `update pg_class set reltuples = reltuples * 10000
    where relnamespace = 'taskonaut'::regnamespace and reltuples > 0`,
};

/** Half of the tasks are due, the others wait; each has two steps, two tags, a call, and two rows in its inbox. */
function fill(from: number, to: number): string {
  const numbers = `generate_series(${from}, ${to}) as n`;
  const id = (n: string): string => `('00000000-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
  return `
    insert into taskonaut.tasks (id, flow_name, status, input_payload, due_at, created_at, updated_at)
    select ${id("n")}, case when n % 5 = 0 then 'flow_' || n % 100 else 'echo_add' end, 'PLANNED', '{}',
      now() + (${TASKS / 2} - n) * interval '1 s', now(), now() from ${numbers};
    insert into taskonaut.task_steps
      (task_id, id, step_index, path, kind, step_name, target, status, input_payload, created_at, updated_at)
    select ${id("n")}, ${id("n * 2 + i")}, i + 1, '/' || i, 'tool', 'echo', 'echo', 'PLANNED', '{}', now(), now()
    from ${numbers}, generate_series(0, 1) as i;
    insert into taskonaut.tool_calls
      (task_id, id, task_step_id, idempotency_key, tool_name, status, request_payload, started_at, created_at)
    select ${id("n")}, ${id("n * 2")}, ${id("n * 2")}, 'k' || n, 'echo', 'RUNNING', '{}', now(), now() from ${numbers};
    insert into taskonaut.task_inbox (task_id, seq, kind, name, created_at)
    select ${id("n")}, i, 'signal', 'approved', now() from ${numbers}, generate_series(1, 2) as i;
    insert into taskonaut.task_tags (task_id, key, value, created_at)
    select ${id("n")}, tag, n % 50, now() from ${numbers}, unnest('{customer,region}'::text[]) as tag;
    insert into taskonaut.workers (id, name, started_at, lease_until, lease_ms)
    values (gen_random_uuid(), 'w', now(), now(), 1000)`;
}

/** As a session is whose settings a pooler has swallowed. */
const SWALLOWED = "set jit = on; set enable_seqscan = on; set enable_bitmapscan = on";

const MODES = ["force_generic_plan", "force_custom_plan"] satisfies PlanMode[];

interface Planned extends Plan {
  readonly what: string;
  /** The state of the tables, and the mode. */
  readonly when: string;
}

const system = findSystemServer();

describe.each([
  ["the server of the tests", undefined],
  // one that compiles what seems costly
  ...(system === undefined ? [] : [["the server of the system", system] as const]),
])("on %s", (_, binaries) => {
  let server: PostgresServer | undefined;
  const own: Planned[] = [];
  const swallowed: Planned[] = [];

  beforeAll(async () => {
    server = await createServer({ binaries });
    const { url } = server;
    const migrator = openPostgresMigrator({ url });
    await migrator.migrate();
    await migrator.close();
    const [first, second] = Array.from(
      { length: 2 },
      () => new PostgresClient({ url, connectionsMax: 1, deadlineMs: 30_000 }),
    );
    if (!first || !second) throw new Error("no clients");
    await second.execute(SWALLOWED);
    const hot = await Promise.all([
      ...Object.entries({ ...HOT, ...SELDOM }).map(async ([what, use]) => ({ what, statements: await takeDown(use) })),
      ...Object.entries(SEARCHES).map(async ([what, [use, ...answers]]) => ({
        what,
        statements: await takeDown(use, answers),
      })),
    ]);
    for (const [state, script] of Object.entries(STATES)) {
      for (const statement of script.split(";")) await first.execute(statement);
      for (const { what, statements } of hot) {
        own.push(...(await planAll(first, state, what, statements)));
        swallowed.push(...(await planAll(second, state, what, statements)));
      }
    }
    await first.close();
    await second.close();
  }, 120_000);
  afterAll(() => server?.dispose());

  test("every statement has one plan: a hot one looks rows up by an index, another walks what has not ended, once", () => {
    for (const [what, plans] of Map.groupBy(own, (plan) => plan.what)) {
      const [first] = plans;
      for (const { when, reads } of plans)
        expect({ what, when, reads }).toEqual({ what, when, reads: first?.reads ?? [] });
      const read = first?.reads ?? [];
      const walks = isSeldom(what) ? read.filter((way) => WALKS.test(way)) : [];
      expect(walks.length).toBeLessThanOrEqual(1);
      const whole = read.filter((way) => !LOOKS_UP.test(way) && !walks.includes(way));
      expect({ what, whole }).toEqual({ what, whole: [] });
    }
  });

  test("none is compiled, and no hot one seems so costly that it would be, also where a pooler has swallowed the session's settings", () => {
    const costly = swallowed.filter(({ what, cost, isCompiled }) => !isSeldom(what) && (cost > COST_MAX || isCompiled));
    expect(costly.map(({ what, when, cost, isCompiled }) => ({ what, when, cost, isCompiled }))).toEqual([]);
    expect(own.filter(({ isCompiled }) => isCompiled)).toEqual([]);
  });
});

function isSeldom(what: string): boolean {
  return Object.keys(SELDOM).some((seldom) => what.startsWith(seldom));
}

async function planAll(
  client: PostgresClient,
  state: string,
  what: string,
  statements: readonly Statement[],
): Promise<Planned[]> {
  const plans: Planned[] = [];
  for (const [place, statement] of statements.entries()) {
    for (const mode of MODES) {
      plans.push({
        what: place === 0 ? what : `${what}, then ${place}`,
        when: `${state}, ${mode}`,
        ...(await explain(client, statement, mode)),
      });
    }
  }
  return plans;
}

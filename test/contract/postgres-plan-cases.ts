// What the store asks of PostgreSQL for tasks and workers.

import { ANY_TASK, type RowFilter } from "../../src/core/record/row-filter.ts";
import { claimTasks } from "../../src/store/postgres/claim.ts";
import { commitChanges, insertTasks } from "../../src/store/postgres/commit.ts";
import type { PostgresClient } from "../../src/store/postgres/connection.ts";
import { findTasks, glance } from "../../src/store/postgres/find-tasks.ts";
import { postToTask, postToTasks, readInbox } from "../../src/store/postgres/inbox.ts";
import { wholeText } from "../../src/store/postgres/payloads.ts";
import { noteProgress } from "../../src/store/postgres/progress.ts";
import { releaseOrphans, releaseTasks, unparkTasks } from "../../src/store/postgres/queue.ts";
import { listTasks, readTask, readTaskRow, recordReader } from "../../src/store/postgres/read.ts";
import { quoteSchema } from "../../src/store/postgres/schema.ts";
import { searchTasks } from "../../src/store/postgres/search.ts";
import { announce } from "../../src/store/postgres/watch.ts";
import {
  comeBack,
  deleteWorker,
  endLeases,
  findSuspects,
  forgetDeadWorkers,
  insertWorker,
  listWorkers,
  noteCause,
  readWorkerState,
  renewWorker,
} from "../../src/store/postgres/workers.ts";
import { Processes } from "../../src/store/processes.ts";
import { signalOf } from "../../src/engine/task/inbox-posts.ts";
import type { Change, InboxPost } from "../../src/store/store.ts";
import { AUDIT, idOf, WORKER } from "./part-calls.ts";
import { callRow, changeOf, plannedRecord, stepRow, T0, taskRow } from "./rows.ts";

const NEW_WORKER = { id: WORKER, name: "w", leaseMs: 1000, concurrency: 1, process: "p", graceMs: null };

export const SCHEMA = quoteSchema("taskonaut");
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

const post = (over: Partial<InboxPost> = {}): InboxPost => ({
  ...signalOf(idOf(7), "approved", "1", undefined),
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

export const HOT: Readonly<Record<string, (client: PostgresClient) => Promise<unknown>>> = {
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
      notes: [{ taskId: idOf(7), stepId: idOf(8), tool: "echo", progress: "{}" }],
    }),
  "the last task": (client) => findTasks(client, SCHEMA, { kind: "last", flow: null }),
  "the last task of a flow": (client) => findTasks(client, SCHEMA, { kind: "last", flow: "echo_add" }),
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
  "a change that somebody is told to have made": (client) =>
    commitChanges(
      client,
      SCHEMA,
      changes(1, (task) => ({ ...written(task), audit: AUDIT })),
    ),
  "a post that somebody is told to have made": (client) => postToTask(client, SCHEMA, post(), { audit: AUDIT }),
  "a task's row": (client) => readTaskRow(client, SCHEMA, idOf(7)),
  "the next steps of a large task": (client) => recordReader(client, SCHEMA).readSteps(idOf(7), idOf(8)),
  "the next calls of a large task": (client) =>
    recordReader(client, SCHEMA).readCalls(idOf(7), { task_step_id: idOf(8), tool_name: "echo" }),
  "payloads that are kept apart": (client) => wholeText(client, SCHEMA, idOf(7), ' "k:10"'),
  "news for workers": (client) => announce(client, SCHEMA),
  "the state of a worker": (client) => readWorkerState(client, SCHEMA, new Processes(), WORKER),
  "registering a worker": (client) => insertWorker(client.query.bind(client), SCHEMA, NEW_WORKER),
  "noting what may be a death": (client) => noteCause(client.query.bind(client), SCHEMA, WORKER, null),
  "coming back": (client) => comeBack(client.query.bind(client), SCHEMA, { id: WORKER, leaseMs: 1000, locks: true }),
  "ending leases": (client) =>
    endLeases(client.query.bind(client), SCHEMA, [{ id: WORKER, lease: "now", whereabouts: "gone", graceMs: null }]),
  "renewing a lease": (client) => renewWorker(client.query.bind(client), SCHEMA, { id: WORKER, leaseMs: 1000 }),
};

/** What is done once in a while, or for a person: no index has the owner of a task, so it walks the queue. */
export const SELDOM: typeof HOT = {
  "letting go of a worker's tasks": (client) => releaseTasks(client, SCHEMA, { workerId: WORKER, except: [idOf(7)] }),
  "letting go of what no worker's row holds": (client) => releaseOrphans(client, SCHEMA),
  "letting go of what other code has parked": (client) =>
    unparkTasks(client, SCHEMA, [{ name: "echo_add", code: "x" }]),
  "forgetting dead workers": (client) => forgetDeadWorkers(client, SCHEMA),
  "forgetting a worker": (client) => deleteWorker(client, SCHEMA, WORKER),
  "the list of workers": (client) => listWorkers(client, SCHEMA, new Processes()),
};

const search =
  (filter: Partial<RowFilter>) =>
  (client: PostgresClient): Promise<unknown> =>
    searchTasks(client, SCHEMA, { filter: { ...ANY_TASK, ...filter }, limit: 100 });

/** Searches, and what they are answered before the statement that is meant. */
export const SEARCHES: Readonly<Record<string, readonly [ReturnType<typeof search>, ...unknown[][]]>> = {
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

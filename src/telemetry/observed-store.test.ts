// The metrics after tasks have really run.

import { afterEach, beforeEach, expect, test } from "bun:test";
import * as v from "valibot";
import { rejection } from "../../test/support/rejection.ts";
import { valueOf } from "../../test/support/exposition.ts";
import { changeOf, plannedRecord } from "../../test/contract/rows.ts";
import { call, defineFlow, defineTool } from "../sdk/taskonaut.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";
import { engineOn } from "../../test/support/engine.ts";
import { Metrics } from "./metrics.ts";
import { observedStore } from "./observed-store.ts";

let metrics: Metrics;
let plain: Store;
let store: Store;

beforeEach(async () => {
  metrics = new Metrics({ version: "1.2.3", dialect: "sqlite" });
  plain = await openSqliteStore({ path: ":memory:" });
  store = observedStore(plain, [metrics]);
});

afterEach(() => plain.close());

const valueNow = async (name: string, labels?: Readonly<Record<string, string>>): Promise<number> =>
  valueOf(await metrics.write(), `taskonaut_${name}`, labels);

test("a task that is created and run is counted once in each, with its tools", async () => {
  let calls = 0;
  const flaky = defineTool({
    name: "flaky",
    input: v.number(),
    output: v.number(),
    retry: { attempts: 3, base: "1ms" },
    run: (n) => {
      calls += 1;
      if (calls < 3) throw new Error("not yet");
      return n;
    },
  });
  const flow = defineFlow({
    name: "order",
    input: v.object({}),
    *run() {
      return yield* call(flaky, 1);
    },
  });
  const engine = engineOn(store, { flows: [flow] });
  const { task } = await engine.createTask({ flow: "order", input: {} });
  expect([await valueNow("tasks_created_total", { flow: "order" }), await valueNow("tasks_finished_total")]).toEqual([
    1, 0,
  ]);
  await engine.runTask(task.id);
  expect(await valueNow("tasks_finished_total", { flow: "order", status: "COMPLETED" })).toBe(1);
  expect(await valueNow("task_duration_seconds_count", { status: "COMPLETED" })).toBe(1);
  expect(await valueNow("tool_attempts_total", { tool: "flaky", outcome: "completed" })).toBe(1);
  expect(await valueNow("tool_attempts_total", { tool: "flaky", outcome: "failed" })).toBe(2);
  expect(await valueNow("tool_duration_seconds_count")).toBe(1);
  await engine.runTask(task.id);
  expect(await valueNow("tasks_finished_total")).toBe(1);
});

test("a change that was not won is not counted, nor a task that was there", async () => {
  const record = plannedRecord();
  await store.insertTasks([record]);
  await store.insertTasks([record]);
  expect(await valueNow("tasks_created_total")).toBe(1);
  const ended = { status: "CANCELLED", finished_at: record.task.created_at + 1500, due_at: null } as const;
  const change = changeOf(record.task, ended);
  expect(
    await store.commitChanges([{ ...change, expectedVersion: 99, task: { ...change.task, version: 100 } }]),
  ).toEqual([false]);
  expect(await valueNow("tasks_finished_total")).toBe(0);
  expect(await store.commitChanges([change])).toEqual([true]);
  expect(await valueNow("tasks_finished_total", { status: "CANCELLED" })).toBe(1);
  expect(await valueNow("task_duration_seconds_sum")).toBe(1.5);
});

test("a commit that fails is timed as such, its error is thrown on, and nothing of it is counted", async () => {
  const broken = observedStore({ ...plain, insertTasks: () => Promise.reject(new Error("the disk")) }, [metrics]);
  expect(await rejection(broken.insertTasks([plannedRecord()]))).toMatchObject({ message: "the disk" });
  expect(await valueNow("store_commit_seconds_count", { outcome: "failed" })).toBe(1);
  expect(await valueNow("tasks_created_total")).toBe(0);
});

test("requests are told by their route, not by their address", async () => {
  metrics.noteRequest({ route: "/tasks/:id", method: "GET", status: 404 }, 12);
  expect(await valueNow("http_request_duration_seconds_count", { route: "/tasks/:id", status: "404" })).toBe(1);
  expect(await valueNow("build_info", { version: "1.2.3", store: "sqlite" })).toBe(1);
});

test("clocks that differ give no negative times", async () => {
  const record = plannedRecord();
  metrics.noteClaim({
    tasks: [{ record: { ...record, task: { ...record.task, due_at: 9e12 } }, takenFrom: "w" }],
    now: 1,
  });
  expect(await valueNow("queue_delay_seconds_sum")).toBe(0);
  expect(await valueNow("takeovers_total")).toBe(1);
});

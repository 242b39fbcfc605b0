// Records that say what no taskonaut has written: the file was damaged, or somebody wrote to it by other means.

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import { isDamaged } from "../../src/core/api/task.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { enqueue, ended } from "../support/queue.ts";
import { execute } from "../support/past-the-store.ts";
import { giveBack } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

const LONG = "x".repeat(20_000);

const flow = flowOf(function* (input) {
  const seen = yield* call(giveBack("give"), input);
  yield* waitForSignal("go");
  return seen;
});

interface Damage {
  readonly does: (id: string) => { readonly sqlite: string; readonly postgresql?: string };
  readonly table: string;
  readonly says: RegExp;
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  "an output that is no JSON": {
    does: () => ({ sqlite: "update payloads set text = '{broken'" }),
    table: "payloads",
    says: /text [\w-]+ is not the one that was recorded/,
  },
  "a text that is cut off": {
    does: () => ({ sqlite: "update payloads set text = substr(text, 1, 100)" }),
    table: "payloads",
    says: /is not the one that was recorded/,
  },
  "a text that is gone": {
    does: () => ({ sqlite: "delete from payloads" }),
    table: "payloads",
    says: /is not there/,
  },
  "a status that there is not": {
    does: (id) => ({
      sqlite: `update task_steps set status = 'DONE' where task_id = '${id}'`,
      postgresql: `alter table task_steps drop constraint task_steps_status_check;
        alter table task_steps drop constraint output_only_when_completed;
        update task_steps set status = 'DONE' where task_id = '${id}'`,
    }),
    table: "task_steps",
    says: /status is "DONE"/,
  },
};

const [, createSqlite] = DATABASES.find(([name]) => name === "sqlite")!;

describe.each<[string, string, RegExp]>([
  ["a status", "update tasks set status = cast(x'ff' as text)", /table tasks, its status is/],
  ["a time of the task", "update tasks set created_at = 9000000000000000", /table tasks, its created_at is not a time/],
  [
    "a time of a step",
    "update task_steps set created_at = 9000000000000000",
    /table task_steps, .*its created_at is not a time/,
  ],
  [
    "the id of a step",
    "update task_steps set id = cast(x'ff' as text) where step_index = 1",
    /table task_steps, .*its id is not a UUID/,
  ],
  [
    "a text of the task",
    `update tasks set input_payload = cast(x'7b22ff223a317d' as text)`,
    /table tasks, task [\w-]+: its input_payload is not UTF-8/,
  ],
  [
    "a text of a step",
    `update task_steps set input_payload = cast(x'22c328' || x'22' as text) where step_index = 2`,
    /table task_steps, step [\w-]+: its input_payload is not UTF-8/,
  ],
])("bytes that are none of ours in %s", (_what, sql, says) => {
  const { bench } = workerBench(createSqlite);

  test("are told as damage by whoever drives the task", async () => {
    const engine = await bench.openEngine();
    const { task } = await engine.createTask({ flow: "echo_add", input: {} });
    await execute(bench.database.url, { sqlite: `pragma foreign_keys = off; ${sql}` });
    const other = await bench.openEngine();
    await expect(other.runTask(task.id)).rejects.toMatchObject({
      code: "record_damaged",
      message: expect.stringMatching(says),
    });
    await other.listTasks({ limit: 10 });
  });
});

describe("U+FFFD in a text", () => {
  const { bench } = workerBench(createSqlite);

  test("is a character like any other where its bytes are its own; where they are not, lists name the task", async () => {
    const engine = await bench.openEngine();
    const { task: sound } = await engine.createTask({ flow: "echo_add", input: { text: "\u{FFFD}" } });
    const { task: garbled } = await engine.createTask({ flow: "echo_add", input: { text: "garbled" } });
    await execute(bench.database.url, {
      sqlite: `update tasks set input_payload = cast(x'7b2274657874223a22ff227d' as text) where id = '${garbled.id}'`,
    });
    const other = await bench.openEngine();
    expect((await other.runTask(sound.id)).status).toBe("COMPLETED");
    const listed = (await other.listTasks({ limit: 10 })).tasks;
    expect(listed.map((task) => ({ id: task.id, damage: isDamaged(task) ? task.damage : "none" }))).toMatchObject([
      { id: garbled.id, damage: expect.stringContaining("its input_payload is not UTF-8") },
      { id: sound.id, damage: "none" },
    ]);
    await other.startWorker({ concurrency: 1 });
    await expect(other.getTask(garbled.id)).rejects.toMatchObject({ code: "record_damaged" });
  });
});

describe("a file whose index of lists is damaged", () => {
  const { bench } = workerBench(createSqlite);

  test("is told with the index and how to make it anew; each task is as good as ever", async () => {
    const engine = await bench.openEngine();
    const { task } = await engine.createTask({ flow: "echo_add", input: {} });
    const path = bench.database.url.slice("sqlite:".length);
    const database = new Database(path);
    database.run("pragma wal_checkpoint(truncate)");
    const { page } = database
      .query<{ page: number }, []>("select rootpage as page from sqlite_schema where name = 'tasks_by_creation'")
      .get() ?? { page: 0 };
    const { page_size: size } = database.query<{ page_size: number }, []>("pragma page_size").get() ?? { page_size: 0 };
    database.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, (page - 1) * size, page * size);
    writeFileSync(path, bytes);

    const other = await bench.openEngine();
    await expect(other.listTasks({ limit: 10 })).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringMatching(/index tasks_by_creation of the table tasks is damaged.*reindex/),
    });
    expect((await other.runTask(task.id)).status).toBe("COMPLETED");
  });
});

for (const [name, createDatabase] of DATABASES) {
  describe.each(Object.entries(DAMAGES))(`a damaged record on ${name}: %s`, (_, { does, table, says }) => {
    const { bench, working } = workerBench(createDatabase);

    const damageOne = async (engine: Engine): Promise<string> => {
      const { task } = await engine.createTask({ flow: flow.name, input: LONG });
      await engine.runTask(task.id);
      await execute(bench.database.url, does(task.id));
      return task.id;
    };

    test("is told with database, table and task; others are listed beside it, and driven", async () => {
      const engine = await bench.openEngine({ flows: [flow] });
      const before = (await engine.createTask({ flow: "echo_add", input: {} })).task.id;
      const id = await damageOne(engine);
      const after = (await engine.createTask({ flow: "echo_add", input: {} })).task.id;

      const other = await bench.openEngine({ flows: [flow] });
      const told = { code: "record_damaged", details: { id, table }, message: expect.stringMatching(says) };
      await expect(other.getTask(id)).rejects.toMatchObject(told);
      await expect(other.runTask(id)).rejects.toMatchObject(told);
      const { tasks } = await other.listTasks({ limit: 10 });
      expect(tasks.map((task) => [task.id, isDamaged(task)])).toEqual([
        [after, false],
        [id, true],
        [before, false],
      ]);
      expect(tasks[1]).toMatchObject({ damage: expect.stringMatching(says) });

      // a worker sets it aside, and drives what else there is
      const posting = other.signalTask(id, { name: "go", payload: 1 });
      await expect(posting).rejects.toMatchObject(told); // it is posted; the answer cannot be read
      const { engine: worker } = await working({ flows: [flow] });
      expect((await ended(worker, await enqueue(worker, "echo_add"))).status).toBe("COMPLETED");
      const store = await bench.openStore();
      const reason = await until(async () => (await store.readTaskRow(id))?.parked_reason ?? undefined);
      expect(reason).toMatch(/could not be driven on.*is damaged/);
    });
  });
}

describe("a file of which a page is damaged", () => {
  const { bench } = workerBench(createSqlite);

  test("costs the tasks that are on it, and no other", async () => {
    const engine = await bench.openEngine({ flows: [flow] });
    const ids: string[] = [];
    for (const name of ["a", "hit", "b"]) {
      ids.unshift((await engine.createTask({ flow: flow.name, input: `${name}${LONG}` })).task.id);
    }
    const path = bench.database.url.slice("sqlite:".length);
    const database = new Database(path);
    database.run("pragma wal_checkpoint(truncate)");
    database.close();
    const bytes = readFileSync(path);
    // the text goes over several pages: behind its first part stands the number of the next
    let end = bytes.indexOf("hitx") + "hit".length;
    while (bytes[end] === "x".charCodeAt(0)) end += 1;
    bytes.writeUInt32BE(0x7fffffff, end);
    writeFileSync(path, bytes);

    const other = await bench.openEngine({ flows: [flow] });
    const { tasks } = await other.listTasks({ limit: 10 });
    expect(tasks.map(({ id }) => id)).toEqual(ids);
    expect(tasks.map(isDamaged)).toEqual([false, true, false]);
    await expect(other.getTask(ids[1] ?? "")).rejects.toMatchObject({
      code: "record_damaged",
      message: expect.stringContaining(path),
    });
    expect((await other.runTask(ids[0] ?? "")).waiting_for).toHaveLength(1);
  });
});

describe.each<[string, string, RegExp]>([
  ["a version", "version = -5", /it breaks the rule version/],
  ["a task that is parked and due", "parked_reason = 'why'", /it breaks the rule parked_is_not_due/],
  ["an end of a task that goes on", "finished_at = 1", /it breaks the rule finished_only_when_ended/],
  ["an output of a task that goes on", "output_payload = '{}'", /it breaks the rule output_only_when_completed/],
  ["a status", "status = 'FROB'", /its status is "FROB"/],
  ["tags", "tags = '{'", /its tags is not JSON/],
  ["an origin", "origin = '{'", /its origin is not JSON/],
])("%s that no table would take", (_what, set, says) => {
  const { bench, working } = workerBench(createSqlite);

  test("is told as damage by whoever touches the task, and keeps nobody from the others", async () => {
    const engine = await bench.openEngine({ flows: [flow] });
    const [before, id, after] = [
      await enqueue(engine, "echo_add"),
      await enqueue(engine, "echo_add"),
      await enqueue(engine, "echo_add"),
    ];
    await execute(bench.database.url, { sqlite: `update tasks set ${set} where id = '${id}'` });
    const told = { code: "record_damaged", details: { id, table: "tasks" }, message: expect.stringMatching(says) };
    const other = await bench.openEngine({ flows: [flow] });
    await expect(other.getTask(id)).rejects.toMatchObject(told);
    await expect(other.runTask(id)).rejects.toMatchObject(told);
    await expect(other.cancelTask(id)).rejects.toMatchObject(told);
    const { tasks } = await other.listTasks({ limit: 10 });
    expect(tasks.map((task) => [task.id, isDamaged(task)])).toEqual([
      [after, false],
      [id, true],
      [before, false],
    ]);
    const { engine: worker } = await working({ flows: [flow] });
    for (const each of [before, after]) expect((await ended(worker, each)).status).toBe("COMPLETED");
  });
});

describe("a damaged schedule", () => {
  const { bench, working } = workerBench(createSqlite);
  const terms = { flow: "echo_add", every: "1m", input: { text: "a", a: 1, b: 2 } };

  test.each<[string, RegExp]>([
    [
      "created_at = 9000000000000000",
      /Schedule bad_.* in sqlite:.* is damaged: table schedules, its created_at is not/,
    ],
    [
      "overlap = 'frob'",
      /Schedule bad_.* in sqlite:.* is damaged: table schedules, its overlap is "frob", which does not exist/,
    ],
    ["every_ms = null", /it breaks the rule fires_by_one_rule/],
    ["input = '{'", /its input is not JSON/],
    ["every_ms = null, cron = 'frob'", /no time of it can be worked out/],
    ["time_zone = 'frob'", /has the time zone "frob", which this taskonaut does not know/],
  ])("(%s) is told by whoever asks for it, keeps no other from its time, and can be removed", async (set, says) => {
    const engine = await bench.openEngine({});
    // a firing of one name and time has one task, whatever became of the schedule
    const [bad, good] = [`bad_${crypto.randomUUID()}`, `good_${crypto.randomUUID()}`];
    for (const name of [bad, good]) await engine.schedules.add({ name, ...terms });
    await execute(bench.database.url, {
      sqlite: `update schedules set next_at = 1, nominal_at = 1; update schedules set ${set} where name = '${bad}'`,
    });
    const told = { code: "record_damaged", details: { table: "schedules" }, message: expect.stringMatching(says) };
    await expect(engine.schedules.get(bad)).rejects.toMatchObject(told);
    const { schedules } = await engine.schedules.list({ limit: 10 });
    expect(schedules.find(({ name }) => name === bad)?.damage).toMatch(says);
    expect(schedules.find(({ name }) => name === good)).not.toHaveProperty("damage");
    await expect(engine.schedules.trigger(bad, {})).rejects.toMatchObject(told);
    await expect(engine.schedules.preview(bad, { count: 1 })).rejects.toMatchObject(told);
    const { engine: worker } = await working({});
    await until(async () => (await worker.schedules.get(good)).fired_count > 0);
    expect(await engine.schedules.remove(bad)).toMatchObject({ name: bad });
    expect((await engine.schedules.list({ limit: 10 })).schedules.map(({ name }) => name)).toEqual([good]);
    await engine.schedules.remove(good);
  });

  test("list of codes keeps no worker from its work", async () => {
    const engine = await bench.openEngine({});
    await execute(bench.database.url, {
      sqlite: "insert into schedule_sources (flow_name, code, seen, confirmed_at) values ('echo_add', 'x', '{', 1)",
    });
    const { engine: worker } = await working({});
    expect((await ended(worker, await enqueue(engine, "echo_add"))).status).toBe("COMPLETED");
  });
});

describe.each(DATABASES)("an audit log without its head on %s", (_name, create) => {
  const { bench } = workerBench(create);

  test("is told as damage by whatever is to be written down there", async () => {
    const engine = await bench.openEngine({});
    await execute(bench.database.url, { sqlite: "delete from audit_head" });
    const told = { code: "record_damaged", message: expect.stringMatching(/damaged.*audit_head/) };
    await expect(engine.audit.verify()).rejects.toMatchObject(told);
    const pausing = engine.audit.acting({ who: "me", role: "admin", way: "cli" }, () =>
      engine.pauses.pause({ scope: "flow", name: "echo_add" }),
    );
    await expect(pausing).rejects.toMatchObject(told);
  });
});

describe.each(DATABASES)("a damaged limit on %s", (_name, create) => {
  const { bench } = workerBench(create);

  test.each<[string, string, { sqlite: string; postgresql: string }]>([
    [
      "what was set",
      "rate_is_whole",
      {
        sqlite: "rate_count = 5, rate_ms = null, set_by = 'x', set_at = 1",
        postgresql: "rate_count = 5, rate_ms = null, set_by = 'x', set_at = now()",
      },
    ],
    [
      "what the code says",
      "own_rate_is_whole",
      { sqlite: "own_rate_count = 5, own_rate_ms = null", postgresql: "own_rate_count = 5, own_rate_ms = null" },
    ],
  ])("(%s) is told, hides no other, and is never taken for a fault of taskonaut", async (what, rule, set) => {
    const engine = await bench.openEngine({});
    const store = await bench.openStore();
    const [bad, good] = [`bad_${crypto.randomUUID()}`, `good_${crypto.randomUUID()}`];
    const numbers = { kind: "tool", isKeyed: false, running: 1, runningPerKey: null, rate: null } as const;
    await store.limits.declare([
      { ...numbers, name: bad },
      { ...numbers, name: good },
    ]);
    await execute(bench.database.url, {
      sqlite: `update limits set ${set.sqlite} where name = '${bad}'`,
      postgresql: `alter table limits drop constraint ${rule};
        update limits set ${set.postgresql} where name = '${bad}'`,
    });
    const says = new RegExp(`The limit of tool ${bad} in .* is damaged: table limits, it breaks the rule ${rule}`);
    const limits = await engine.limits.list();
    expect(limits.find(({ name }) => name === bad)?.damage).toMatch(says);
    expect(limits.find(({ name }) => name === good)).not.toHaveProperty("damage");
    const told = { code: "record_damaged", details: { table: "limits" }, message: expect.stringMatching(says) };
    await expect(engine.limits.set(bad, { running: 2 })).rejects.toMatchObject(told);
    if (what === "what was set") expect(await engine.limits.reset(bad)).not.toHaveProperty("damage");
    else await expect(engine.limits.reset(bad)).rejects.toMatchObject(told);
    expect(await engine.limits.set(good, { running: 2 })).toMatchObject({ max: { running: 2 } });
  });
});

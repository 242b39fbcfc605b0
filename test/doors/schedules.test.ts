// Schedules, from the command line down to the rows of an SQLite file: at home, and by way of a server. The door must not
// show.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createClient } from "../../src/client/client.ts";
import type { BackfillTime, FiringTime, Schedule, ScheduleDetails } from "../../src/core/api/schedules.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { defineFlow } from "../../src/sdk/taskonaut.ts";
import { createApp } from "../../src/server/app.ts";
import { startServer } from "../../src/server/serve.ts";
import { problemOf, postTo } from "../support/api.ts";
import { callCli, type CliCall, type CliResult } from "../support/cli.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";

const report = defineFlow({
  name: "report",
  input: v.strictObject({ region: v.string() }),
  schedules: [{ name: "nightly", cron: "30 2 * * *", timeZone: "Europe/Berlin", input: { region: "EU" } }],
  *run() {},
});

interface Door {
  open(): Promise<Taskonaut>;
  close(): Promise<void>;
}

const DOORS: Readonly<Record<string, (database: EngineDatabase) => Promise<Door>>> = {
  "at home": async (database) => ({
    open: async () => engineOn(await database.openStore(), { flows: [report] }),
    close: async () => {},
  }),
  "by way of a server": async (database) => {
    const taskonaut = engineOn(await database.openStore(), { flows: [report] });
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false });
    return { open: async () => createClient({ baseUrl: server.url }), close: () => server.stop() };
  },
};

const sqlite = DATABASES[0]?.[1] as () => Promise<EngineDatabase>;
const ADD = ["schedule", "add", "hourly", "--flow", "report", "--cron", "0 * * * *", "--input", '{"region":"EU"}'];

describe.each(Object.keys(DOORS))("%s", (name) => {
  let database: EngineDatabase;
  let door: Door;

  beforeEach(async () => {
    database = await sqlite();
    door = await (DOORS[name] as (typeof DOORS)[string])(database);
  });

  afterEach(async () => {
    await door.close();
    await database.drop();
  });

  async function cli(argv: readonly string[], options: Partial<CliCall> = {}): Promise<CliResult> {
    return callCli(argv, { ...options, taskonaut: await door.open() });
  }

  async function answer<T>(...argv: string[]): Promise<T> {
    const { code, stdout, stderr } = await cli(argv);
    if (code !== 0) throw new Error(`Exit code ${code}:\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async function refusal(
    ...argv: string[]
  ): Promise<{ code: number; error: { code: string; message: string; errors: unknown } }> {
    const { code, stderr } = await cli([...argv, "--json"]);
    return { code, error: JSON.parse(stderr) as { code: string; message: string; errors: unknown } };
  }

  test("the data of a pipe is the input of its tasks", async () => {
    const added = await cli(["schedule", "add", "hourly", "--flow", "report", "--every", "1h"], {
      stdin: '{"region":"US"}',
    });
    expect([added.code, JSON.parse(added.stdout)]).toMatchObject([0, { input_payload: { region: "US" } }]);
  });

  test("a name in the place of an action is told how to be shown", async () => {
    expect((await refusal("schedule", "hourly")).error.message).toContain("schedule show hourly");
  });

  test("one is added, shown, listed, paused, resumed and removed", async () => {
    const options = [
      "--time-zone",
      "Europe/Berlin",
      "--overlap",
      "queue",
      "--catch-up",
      "2h",
      "--jitter",
      "30s",
      "--priority",
      "2",
    ];
    const added = await answer<Schedule>(...ADD, ...options);
    expect(added).toMatchObject({
      name: "hourly",
      flow_name: "report",
      owner: "command",
      cron: "0 * * * *",
      every_ms: null,
      time_zone: "Europe/Berlin",
      input_payload: { region: "EU" },
      overlap: "queue",
      catch_up: { within_ms: 7_200_000 },
      jitter_ms: 30_000,
      priority: 2,
      fired_count: 0,
    });
    expect(await answer<ScheduleDetails>("schedule", "show", "hourly")).toEqual({ ...added, skips: [] });
    expect(await answer<readonly Schedule[]>("schedules")).toEqual([added]);
    const paused = await answer<Schedule>("schedule", "pause", "hourly", "--reason", "the bank is down");
    expect(paused).toMatchObject({ next_at: null, due_at: null, pause_reason: "the bank is down" });
    expect(await answer<Schedule>("schedules", "resume", "hourly")).toMatchObject({
      next_at: added.next_at,
      paused_at: null,
    });
    expect(await answer<Schedule>("schedule", "remove", "hourly")).toMatchObject({ name: "hourly" });
    expect(await answer<readonly Schedule[]>("schedules")).toEqual([]);
  });

  test("what is wrong with a new one is said once, in the words of the options", async () => {
    const { code, stderr } = await cli(["schedule", "add", "often", "--flow", "report", "--every", "1x"]);
    expect(code).toBe(2);
    expect(stderr).toStartWith('error: The schedule cannot be made: --every: "1x" is not a valid duration');
    expect(stderr.match(/is not a valid duration/g)).toHaveLength(1);
  });

  test("many are listed, page by page", async () => {
    const taskonaut = await door.open();
    for (const each of ["c", "a", "b"])
      await taskonaut.schedules.add({ name: each, flow: "report", every: "1m", input: { region: "" } });
    const first = await taskonaut.schedules.list({ limit: 2 });
    expect([first.schedules.map((each) => each.name), first.next]).toEqual([["a", "b"], "b"]);
    const second = await taskonaut.schedules.list({ limit: 2, after: "b" });
    expect([second.schedules.map((each) => each.name), second.next]).toEqual([["c"], undefined]);
    await taskonaut.close();
  });

  test("the times of one are told in its zone, with the days on which the clock changes, also before a worker has seen it", async () => {
    const range = ["--count", "3", "--from", "2027-03-27T12:00:00Z"];
    const times = await answer<readonly FiringTime[]>("schedules", "preview", "nightly", ...range);
    expect(times).toEqual([
      {
        at: "2027-03-28T01:30:00.000Z",
        wall: "2027-03-28T03:30:00+02:00",
        time_zone: "Europe/Berlin",
        clock_change: true,
      },
      {
        at: "2027-03-29T00:30:00.000Z",
        wall: "2027-03-29T02:30:00+02:00",
        time_zone: "Europe/Berlin",
        clock_change: false,
      },
      {
        at: "2027-03-30T00:30:00.000Z",
        wall: "2027-03-30T02:30:00+02:00",
        time_zone: "Europe/Berlin",
        clock_change: false,
      },
    ]);
    const shown = await cli(["schedules", "preview", "nightly", ...range, "--format", "table"]);
    expect(shown.stdout).toContain("Sun 2027-03-28 03:30 +02:00  Sun 2027-03-28 01:30 +00:00  clock change\n");
    expect(await refusal("schedule", "show", "nightly")).toMatchObject({
      code: 3,
      error: { code: "schedule_not_found", message: expect.stringContaining("no worker has seen it yet") },
    });
  });

  test("a task is made now, and those of times that have passed once each, when somebody says yes", async () => {
    await answer(...ADD);
    const task = await answer<Task>("schedule", "trigger", "hourly");
    expect(task).toMatchObject({ flow_name: "report", schedule: "hourly", input_payload: { region: "EU" } });
    const range = ["--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T02:00:00Z"];
    const planned = await answer<readonly BackfillTime[]>("schedule", "backfill", "hourly", ...range, "--dry-run");
    expect(planned.map(({ at, exists }) => [at.slice(11, 16), exists])).toEqual([
      ["00:00", false],
      ["01:00", false],
      ["02:00", false],
    ]);
    expect(await refusal("schedule", "backfill", "hourly", ...range)).toMatchObject({
      code: 2,
      error: { errors: [], message: expect.stringContaining("--yes") },
    });
    await answer("schedule", "backfill", "hourly", ...range, "--yes");
    const again = await answer<readonly BackfillTime[]>("schedule", "backfill", "hourly", ...range, "--dry-run");
    expect(again).toEqual(planned.map((each) => ({ ...each, exists: true })));
    expect(await answer<Task>("get-task", planned[1]?.task_id ?? "")).toMatchObject({
      schedule: "hourly",
      status: "PLANNED",
    });
  });

  test("a backfill makes what it has listed, also if another time has come since", async () => {
    await answer(...ADD);
    const taskonaut = await door.open();
    const { schedules } = taskonaut;
    const asked: unknown[] = [];
    const backfill: typeof schedules.backfill = (scheduleName, range) => {
      asked.push(range);
      return schedules.backfill(scheduleName, range);
    };
    Object.defineProperty(taskonaut, "schedules", { value: { ...schedules, backfill } });
    const argv = ["schedule", "backfill", "hourly", "--from", "2026-01-01T00:30:00Z", "--yes"];
    const { code } = await callCli([...argv, "--until", "2026-01-01T02:30:00Z"], { taskonaut });
    expect([code, asked]).toMatchObject([
      0,
      [{ dryRun: true }, { from: "2026-01-01T01:00:00.000Z", until: "2026-01-01T02:00:00.000Z", dryRun: false }],
    ]);
  });

  test("what is wrong is told with the option, and what was probably meant", async () => {
    expect(
      await refusal(...ADD.slice(0, -4), "--cron", "0 0 30 2 *", "--time-zone", "Berlin", "--input", "{}"),
    ).toMatchObject({
      code: 2,
      error: {
        code: "input_invalid",
        errors: [
          { path: "--time-zone", message: expect.stringContaining("did you mean Europe/Berlin?") },
          { path: "--cron", message: expect.stringContaining("no such day") },
        ],
      },
    });
    expect(await refusal(...ADD.slice(0, -1), "{}")).toMatchObject({
      error: { code: "input_invalid", errors: [{ path: "--input.region", message: "required" }] },
    });
    expect((await refusal("schedule", "delete", "hourly")).error.message).toContain("did you mean remove?");
    expect((await refusal("schedule", "pause", "hourly", "--cron", "x")).error.message).toContain(
      "--cron: means something with add only",
    );
    expect((await refusal("schedule", "pause")).error.message).toContain("<name> is missing");
    await answer(...ADD);
    expect((await refusal("schedule", "show", "hourli")).error.message).toContain("did you mean hourly?");
    expect(await refusal(...ADD)).toMatchObject({ code: 4, error: { code: "schedule_exists" } });
    for (const action of ["preview", "backfill"]) {
      const { error } = await refusal("schedule", action, "hourly", "--from", "2h");
      expect(error.errors).toMatchObject([{ path: "--from" }]);
      expect(error.message).toStartWith("--from: expected a time like ");
    }
  });
});

describe("over HTTP", () => {
  let database: EngineDatabase;
  let taskonaut: Taskonaut;
  let app: ReturnType<typeof createApp>;

  beforeEach(async () => {
    database = await sqlite();
    taskonaut = engineOn(await database.openStore(), { flows: [report] });
    app = createApp(taskonaut, { host: "127.0.0.1" });
  });

  afterEach(async () => {
    await taskonaut.close();
    await database.drop();
  });

  const body = { name: "a", flow: "report", every: "15m", input: { region: "EU" }, catch_up: { within: "1h" } };

  test("one is made with 201, and the list has a link to its next page", async () => {
    const made = await postTo(app, "/schedules", JSON.stringify(body));
    expect([made.status, await made.json()]).toMatchObject([
      201,
      { name: "a", every_ms: 900_000, catch_up: { within_ms: 3_600_000 } },
    ]);
    await postTo(app, "/schedules", JSON.stringify({ ...body, name: "b" }));
    const page = await app.request("/schedules?limit=1");
    expect(page.headers.get("link")).toBe('</schedules?limit=1&after=a>; rel="next"');
    expect((await app.request("/schedules?limit=1&after=a")).headers.get("link")).toBeNull();
    const triggered = await postTo(app, "/schedules/a/trigger");
    expect(triggered.status).toBe(201);
    expect(triggered.headers.get("location")).toMatch(/^\/tasks\//);
  });

  test("what is wrong is told by the names of the body", async () => {
    const problem = await problemOf(
      await postTo(app, "/schedules", JSON.stringify({ ...body, time_zone: "X", catch_up: "all" })),
    );
    expect([problem.status, problem.errors?.map(({ path }) => path)]).toEqual([422, ["time_zone", "catch_up"]]);
    const unknown = await problemOf(await postTo(app, "/schedules", JSON.stringify({ ...body, timezone: "UTC" })));
    expect(unknown.errors).toEqual([{ path: "timezone", message: "unknown field" }]);
    expect((await app.request("/schedules?limit=0")).status).toBe(422);
    expect((await app.request("/schedules/nothing")).status).toBe(404);
    expect((await app.request("/schedules/nothing/preview?cout=3")).status).toBe(422);
  });
});

// How a flow stands in a database is part of its description.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";

describe.each(DATABASES)("the description of a flow on %s", (_name, create) => {
  const bench = benchOn(create);
  const flows = [
    defineFlow({
      name: "report",
      input: v.object({}),
      schedules: [{ name: "nightly", cron: "30 2 * * *", timeZone: "Europe/Berlin" }],
      *run() {},
    }),
    defineFlow({ name: "other", input: v.object({}), *run() {} }),
  ];

  test("has the pauses that hold it back, and its schedules, those of its file before any worker has had it", async () => {
    const engine = await bench.openEngine({ flows });
    const nightly = {
      name: "nightly",
      owner: "flow",
      cron: "30 2 * * *",
      every_ms: null,
      time_zone: "Europe/Berlin",
      paused_at: null,
    };
    expect(await engine.describeFlow("report")).toMatchObject({
      pauses: [],
      schedules: [{ ...nightly, next_at: null }],
    });
    await engine.startWorker({ concurrency: 1 });
    await engine.schedules.add({ name: "hourly", flow: "report", every: "1h" });
    await engine.schedules.pause("hourly", {});
    await engine.pauses.pause({ scope: "flow", name: "report" }, { reason: "the bank is down", by: "ada" });
    await engine.pauses.pause({ scope: "all" });
    await engine.pauses.pause({ scope: "tool", name: "echo" });
    const [, other, report] = await engine.listFlows();
    expect(report?.schedules).toMatchObject([
      { name: "hourly", owner: "command", every_ms: 3_600_000, next_at: null, paused_at: expect.any(String) },
      { ...nightly, next_at: expect.any(String) },
    ]);
    expect(report?.pauses).toMatchObject([
      { scope: "all", name: null },
      { scope: "flow", name: "report", reason: "the bank is down", by: "ada" },
    ]);
    expect(other).toMatchObject({ name: "other", schedules: [], pauses: [{ scope: "all" }] });
    expect(await engine.describeFlow("report")).toEqual(report as NonNullable<typeof report>);
  }, 60_000);
});

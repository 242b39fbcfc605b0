// What happened when: counted by every process, and by none twice, whatever happens to it.

import { expect, setDefaultTimeout, test } from "bun:test";
import type { Stats } from "../../src/core/api/stats.ts";
import { until } from "../support/until.ts";
import { DIALECTS, openPlace } from "./place.ts";

setDefaultTimeout(120_000);

test.each(DIALECTS)(
  "%s: a process that is killed loses what it had not written, and nothing counts twice",
  async (dialect) => {
    await using place = await openPlace(dialect);
    const server = await place.serve(["--no-worker"]);
    const stats = async (): Promise<Stats> =>
      (await (await fetch(`${server.url}/stats?since=2h&flow=echo_add`)).json()) as Stats;
    const enqueue = async (tasks: number): Promise<void> => {
      for (let n = 0; n < tasks; n++) {
        const options = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
        expect((await fetch(`${server.url}/tasks?start=now`, options)).status).toBe(201);
      }
    };
    const haveEnded = (tasks: number): Promise<true> =>
      until(async () => {
        const [row] = await place.query<{ n: number }>("select count(*) as n from tasks where finished_at is not null");
        return Number(row?.n) === tasks;
      });
    await enqueue(20);
    const worker = place.start(["work"]);
    await haveEnded(20);
    await until(async () => (await stats()).total.completed === 20, "what it has done is written after five seconds");
    await enqueue(10);
    await haveEnded(30);
    process.kill(worker.pid, "SIGKILL");
    const next = place.start(["work"]);
    await enqueue(5);
    await haveEnded(35);
    expect((await next.stop()).exit).toBe(0); // who leaves writes what is left
    await until(async () => (await stats()).total.created === 35, "the server has written what it made");
    const { total, steps } = await stats();
    expect(total.completed).toBeGreaterThanOrEqual(25);
    expect(total.completed).toBeLessThanOrEqual(35);
    expect(total.queue_delay.claims).toBeGreaterThanOrEqual(25);
    expect(total.queue_delay.p95_ms).toBeGreaterThan(0);
    expect(steps.reduce((sum, { completed }) => sum + completed, 0)).toBe(total.completed);
  },
);

test("a command counts what it does, with nobody to write it later", async () => {
  await using place = await openPlace("sqlite");
  expect((await place.run(["run-flow"])).exit).toBe(0);
  const [row] = await place.query<{ created: number; completed: number }>("select created, completed from counters");
  expect(row).toEqual({ created: 1, completed: 1 });
});

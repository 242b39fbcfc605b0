// A worker that has nothing to do, and what it asks of its database all the same.

import { expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../support/until.ts";
import { columnsOf } from "./columns.ts";
import { openPlace, type Place } from "./place.ts";
import { openQueryRelay } from "./queries.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

test("an idle worker is near silent, beside 10,000 tasks that sleep", async () => {
  await using place = await openPlace("postgres");
  await startWorker(place);
  const { id: asleep } = taskOf(await place.run(["run-flow", "--mode", "enqueue", "--at", "1h"]));
  const columns = await columnsOf(place, "tasks");
  const values = columns.map((column) => (column === "id" ? "gen_random_uuid()" : column));
  await place.query(`
    insert into tasks (${columns.join(", ")})
    select ${values.join(", ")} from tasks, generate_series(1, 10000) where id = '${asleep}'`);
  using relay = await openQueryRelay(place.url);
  await startWorker(place, { DATABASE_URL: relay.url });
  await until(() => relay.queries.some((text) => IS_CLAIM.test(text)), "it has looked into the queue");
  const before = relay.queries.length;
  await Bun.sleep(IDLE_SECONDS * 1000);
  const own = relay.queries.slice(before).filter((text) => !IS_HEARTBEAT_OR_WATCH.test(text));
  // one look at the queue, one at the line for tickets, one for schedules
  expect((own.length * 60) / IDLE_SECONDS, own.join("\n")).toBeLessThanOrEqual(8);
  // it has looked after all: nobody else counts here
  expect(own.length).toBeGreaterThan(0);
});

async function startWorker(place: Place, env: Readonly<Record<string, string>> = {}): Promise<void> {
  await place.start(["work"], { env: { LOG_LEVEL: "info", ...env } }).see("Worker started");
}

/** Longer than the poll below all that tells of news. */
const IDLE_SECONDS = 25;

const IS_CLAIM = /skip locked/;

/** The renewal of the lease, the look at who lives, and the probe of their connection. */
const IS_HEARTBEAT_OR_WATCH = /^update "taskonaut"\.workers set lease_until|^select pg_backend_pid\(\)|^select 1$/;

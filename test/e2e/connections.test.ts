// How many of the server's connections a process takes: all processes together share a hundred of them by default.

import { expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../support/until.ts";
import { openPlace, type Place } from "./place.ts";
import type { Started } from "./served.ts";

const BUSY_MAX = 4;
const IDLE_MAX = 2;
const TASKS = 300;

setDefaultTimeout(120_000);

/** In the name that the process has for the server. */
const NAME = "under-test";

function named(place: Place): Record<string, string> {
  const url = new URL(place.url);
  url.searchParams.set("application_name", NAME);
  return { DATABASE_URL: url.href };
}

async function count(place: Place): Promise<number> {
  const [row] = await place.query<{ count: number }>(
    `select count(*)::integer as count from pg_stat_activity where application_name = '${NAME}'`,
  );
  return row?.count ?? 0;
}

/** The most that it had at once until all tasks are done that are put in its queue, by way of the server at `url`. */
async function busiest(place: Place, url: string, meanwhile: (() => Promise<unknown>) | undefined): Promise<number> {
  const input = JSON.stringify({ text: "hi", a: 1, b: 2 });
  const headers = { "content-type": "application/json" };
  const create = (): Promise<Response> =>
    fetch(`${url}/flows/echo_add/tasks?start=now`, { method: "POST", headers, body: input });
  const created = Promise.all(Array.from({ length: TASKS }, create));
  let most = 0;
  for (let isCreated = false; ;) {
    most = Math.max(most, await count(place));
    isCreated ||= (await Promise.race([created.then(() => true), Bun.sleep(10)])) === true;
    const open = "select count(*)::integer as open from tasks where status <> 'COMPLETED'";
    if (isCreated && (await place.query<{ open: number }>(open))[0]?.open === 0) return most;
    await meanwhile?.();
  }
}

interface Parts {
  readonly process: Started;
  readonly url: string;
  readonly meanwhile?: () => Promise<unknown>;
}

async function expectFew(place: Place, { process, url, meanwhile }: Parts): Promise<void> {
  expect(await busiest(place, url, meanwhile)).toBeLessThanOrEqual(BUSY_MAX);
  await until(async () => (await count(place)) <= IDLE_MAX, "it is idle");
  // and there for what comes
  expect(await busiest(place, url, undefined)).toBeLessThanOrEqual(BUSY_MAX);
  expect((await process.stop()).exit).toBe(0);
  await until(async () => (await count(place)) === 0, "all are closed");
}

test("a worker has four connections at most, two when it is idle, and none when it has left", async () => {
  await using place = await openPlace("postgres");
  const { url } = await place.serve(["--no-worker"], { env: { LOG_LEVEL: "info" } });
  const process = place.start(["work"], { env: { ...named(place), LOG_LEVEL: "info" } });
  await process.see("Worker started");
  await expectFew(place, { process, url });
});

test("so has a server with a worker in it, while many ask it", async () => {
  await using place = await openPlace("postgres");
  const process = await place.serve([], { env: { ...named(place), LOG_LEVEL: "info" } });
  const ask = (path: string): Promise<Response> => fetch(`${process.url}${path}`);
  const meanwhile = (): Promise<unknown> =>
    Promise.all([ask("/tasks"), ask("/workers"), ask("/readyz"), ask("/tasks?limit=1")]);
  await expectFew(place, { process, url: process.url, meanwhile });
});

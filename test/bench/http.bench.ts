import { join } from "node:path";
import { openSandbox } from "../e2e/harness.ts";
import type { Bench, Row } from "./bench.ts";
import { median, milliseconds, percentile, ratio, timed } from "./figures.ts";
import type { Load, LoadResult } from "./load.ts";
import { openBareInsert, openPlaces, type Place } from "./places.ts";

const CONNECTIONS = 32;
/** Of the rounds in which one request is under way at a time. */
const REQUESTS_ALONE = 200;
/** In a round, of each kind: one page of the list. */
const REQUESTS = 1000;
const ROUNDS = 6;
const ROUNDS_WARM_UP = 1;

export const http: Bench = {
  name: "http",
  title: `HTTP, ${CONNECTIONS} connections, the load generator on the same machine; medians of ${ROUNDS - ROUNDS_WARM_UP} rounds, in turns`,
  async run() {
    const rows: Row[] = [];
    for (const place of await openPlaces()) {
      rows.push(...(await measure(place)));
      await place.dispose();
    }
    return rows;
  },
};

async function measure({ store, databaseUrl, durability }: Place): Promise<readonly Row[]> {
  await using sandbox = await openSandbox({ DATABASE_URL: databaseUrl });
  const server = await sandbox.serve();
  const bare = await serveBare(databaseUrl);
  const results = {
    bare: [] as LoadResult[],
    create: [] as LoadResult[],
    run: [] as LoadResult[],
    wait: [] as LoadResult[],
  };
  const alone = { bare: [] as LoadResult[], wait: [] as LoadResult[] };
  const commitsMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bareResult = await send(Array.from({ length: REQUESTS }, () => bare.url));
    const createResult = await send(Array.from({ length: REQUESTS }, () => `${server.url}/tasks`));
    const runResult = await send((await listNewest(server.url)).map(({ id }) => `${server.url}/tasks/${id}/run`));
    const waitUrl = `${server.url}/tasks?wait=10s`;
    const waitResult = await send(Array.from({ length: REQUESTS }, () => waitUrl));
    const bareAlone = await send(
      Array.from({ length: REQUESTS_ALONE }, () => bare.url),
      1,
    );
    const waitAlone = await send(
      Array.from({ length: REQUESTS_ALONE }, () => waitUrl),
      1,
    );
    const commitMs = await commit(databaseUrl);
    if (round < ROUNDS_WARM_UP) continue;
    results.wait.push(waitResult);
    alone.bare.push(bareAlone);
    alone.wait.push(waitAlone);
    commitsMs.push(commitMs);
    results.bare.push(bareResult);
    results.create.push(createResult);
    results.run.push(runResult);
  }
  await bare.stop();
  await server.stop();
  const base = perSecond(results.bare);
  return [
    toRow("bare Hono route, one insert", results.bare),
    toRow("POST /tasks", results.create),
    toRow("POST /tasks/{id}/run", results.run),
    toRow("POST /tasks?wait=10s", results.wait),
    toRow("one at a time: bare Hono route", alone.bare, REQUESTS_ALONE),
    toRow("one at a time: POST /tasks?wait=10s", alone.wait, REQUESTS_ALONE),
    { ...toRow("one at a time: the insert alone", [], 0), p50: milliseconds(median(commitsMs)) },
  ];

  function toRow(route: string, rounds: readonly LoadResult[], count = REQUESTS): Row {
    const isRoute = rounds.length > 0;
    const latency = (percent: number): string =>
      isRoute ? milliseconds(median(rounds.map((round) => percentile(round.latenciesMs, percent)))) : "";
    return {
      store,
      route,
      "requests/s": isRoute ? perSecond(rounds, count).toFixed(0) : "",
      "to bare": count === REQUESTS ? ratio(perSecond(rounds), base) : "",
      p50: latency(50),
      p95: latency(95),
      p99: latency(99),
      durability,
    };
  }
}

function perSecond(rounds: readonly LoadResult[], count = REQUESTS): number {
  return median(rounds.map(({ wallMs }) => (count * 1000) / wallMs));
}

/** How long a commit of one small insert takes, by itself. */
async function commit(databaseUrl: string): Promise<number> {
  const bare = await openBareInsert(databaseUrl);
  const times: number[] = [];
  for (let n = 0; n < REQUESTS_ALONE; n++) times.push(await timed(() => bare.insert()));
  await bare.close();
  return median(times);
}

async function send(urls: readonly string[], connections = CONNECTIONS): Promise<LoadResult> {
  const load: Load = { urls, connections };
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "load.ts")], {
    stdin: new Blob([JSON.stringify(load)]),
    stdout: "pipe",
  });
  const json = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error("The load generator failed.");
  return JSON.parse(json) as LoadResult;
}

/** The tasks that the round has created. */
async function listNewest(url: string): Promise<readonly { id: string }[]> {
  const answer = await fetch(`${url}/tasks?limit=${REQUESTS}`);
  return (await answer.json()) as { id: string }[];
}

async function serveBare(databaseUrl: string): Promise<{ url: string; stop(): Promise<unknown> }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "bare-server.ts"), databaseUrl], {
    stdin: "pipe",
    stdout: "pipe",
  });
  const { value } = await child.stdout.getReader().read();
  return {
    url: new TextDecoder().decode(value),
    async stop() {
      await child.stdin.end();
      return child.exited;
    },
  };
}

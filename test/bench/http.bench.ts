import { join } from "node:path";
import { openSandbox } from "../e2e/harness.ts";
import type { Bench, Row } from "./bench.ts";
import { median, milliseconds, percentile, ratio } from "./figures.ts";
import type { Load, LoadResult } from "./load.ts";
import { openPlaces, type Place } from "./places.ts";

const CONNECTIONS = 32;
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
  const results = { bare: [] as LoadResult[], create: [] as LoadResult[], run: [] as LoadResult[] };
  for (let round = 0; round < ROUNDS; round++) {
    const bareResult = await send(Array.from({ length: REQUESTS }, () => bare.url));
    const createResult = await send(Array.from({ length: REQUESTS }, () => `${server.url}/tasks`));
    const runResult = await send((await listNewest(server.url)).map(({ id }) => `${server.url}/tasks/${id}/run`));
    if (round < ROUNDS_WARM_UP) continue;
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
  ];

  function toRow(route: string, rounds: readonly LoadResult[]): Row {
    const latency = (percent: number): string =>
      milliseconds(median(rounds.map((round) => percentile(round.latenciesMs, percent))));
    return {
      store,
      route,
      "requests/s": perSecond(rounds).toFixed(0),
      "to bare": ratio(perSecond(rounds), base),
      p50: latency(50),
      p95: latency(95),
      p99: latency(99),
      durability,
    };
  }
}

function perSecond(rounds: readonly LoadResult[]): number {
  return median(rounds.map(({ wallMs }) => (REQUESTS * 1000) / wallMs));
}

async function send(urls: readonly string[]): Promise<LoadResult> {
  const load: Load = { urls, connections: CONNECTIONS };
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

import { join } from "node:path";
import { runTogether, startProcess } from "../support/children.ts";
import { openStore } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import type { Bench, Row } from "./bench.ts";
import { chain, type CallingJob, type CallTime } from "./calling-process.ts";
import { median, milliseconds, percentile } from "./figures.ts";
import { openPlaces, type Place } from "./places.ts";

const PROCESSES = 10;
const CALLERS = 5;
const ADVANCES = 4;
const CHILD = join(import.meta.dir, "calling-process.ts");

export const callers: Bench = {
  name: "callers",
  title: `${PROCESSES * CALLERS} callers of one task in ${PROCESSES} processes, each with ${ADVANCES} advances of pure steps, one after the other`,
  async run() {
    const rows: Row[] = [];
    for (const place of await openPlaces()) {
      rows.push(await measure(place));
      await place.dispose();
    }
    return rows;
  },
};

async function measure({ store, databaseUrl: url }: Place): Promise<Row> {
  const engine = engineOn(await openStore(url), { flows: [chain] });
  const { task } = await engine.createTask({ flow: chain.name, input: {} });
  const job: CallingJob = { url, id: task.id, callers: CALLERS, advances: ADVANCES };
  const children = Array.from({ length: PROCESSES }, () => startProcess(CHILD, [JSON.stringify(job)]));
  const calls = (await runTogether(children)).flatMap((times) => times as CallTime[]);
  await engine.close();
  const allMs = Math.max(...calls.map(({ end }) => end)) - Math.min(...calls.map(({ start }) => start));
  const times = calls.map(({ start, end }) => end - start);
  return {
    store,
    "all calls": `${(allMs / 1000).toFixed(2)} s`,
    "a call, median": milliseconds(median(times)),
    p99: milliseconds(percentile(times, 99)),
  };
}

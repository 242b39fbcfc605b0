import { join } from "node:path";
import { openStore } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import type { Bench, Row } from "./bench.ts";
import { chain, type CallingJob } from "./calling-process.ts";
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
  const children = Array.from({ length: PROCESSES }, () => startChild(job));
  for (const child of children) await child.next(); // ready
  const started = performance.now();
  await Promise.all(children.map((child) => child.go()));
  const times = (await Promise.all(children.map((child) => child.next()))).flatMap(
    (text) => JSON.parse(text) as number[],
  );
  const seconds = (performance.now() - started) / 1000;
  await engine.close();
  return {
    store,
    "all calls": `${seconds.toFixed(2)} s`,
    "a call, median": milliseconds(median(times)),
    p99: milliseconds(percentile(times, 99)),
  };
}

interface Child {
  /** Its next line. */
  next(): Promise<string>;
  go(): Promise<void>;
}

function startChild(job: CallingJob): Child {
  const { stdin, stdout } = Bun.spawn([process.execPath, CHILD, JSON.stringify(job)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(stdout);
  return {
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error("A calling process ended without an answer.");
      return value;
    },
    async go() {
      await stdin.write("go\n");
      await stdin.end();
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}

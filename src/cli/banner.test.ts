import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { Signals } from "../../test/support/cli.ts";
import { type Log, SILENT } from "../core/log.ts";
import type { Wiring, WorkerFacts } from "./wiring.ts";

const FACTS = { location: "postgres://ada@db/tasks", flows: ["echo_add", "order"] };
const WORKER: WorkerFacts = { ...FACTS, id: "w1", concurrency: 20 };

interface Start {
  readonly worker?: WorkerFacts | undefined;
  readonly flows?: readonly string[];
  readonly log?: Log;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
}

async function start(argv: readonly string[], { worker, flows = FACTS.flows, log, env, isTTY = true }: Start = {}) {
  const signals = new Signals();
  const logged: string[] = [];
  const note = (message: string): void => {
    logged.push(message);
  };
  const stop = async (): Promise<void> => {};
  const leaveSoon = (): void => {
    setImmediate(() => signals.send());
  };
  const wiring: Partial<Wiring> = {
    log: log ?? { ...SILENT, info: note },
    async startServer() {
      leaveSoon();
      return { ...FACTS, flows, url: "http://127.0.0.1:9", worker, stop };
    },
    async startWorker() {
      leaveSoon();
      return { ...WORKER, stop };
    },
  };
  const { stderr, code } = await cli(argv, { wiring, isTTY, env: { NO_COLOR: "1", ...env } }, signals);
  expect(code).toBe(0);
  return { stderr, logged };
}

test("a person who starts a server sees where it is, what it works on, and how to stop it", async () => {
  const { stderr, logged } = await start(["run-app"], { worker: WORKER });
  expect(stderr).toBe(
    [
      "Listening on http://127.0.0.1:9",
      "look    http://127.0.0.1:9/ui",
      "store   postgres://ada@db/tasks",
      "flows   echo_add, order",
      "worker  w1 (up to 20 tasks at once)",
      "Ctrl-C stops it.",
      "\n",
    ].join("\n"),
  );
  expect(logged.join()).not.toMatch(/Listening|Worker started/);
});

test("a server without a worker says who runs what is queued", async () => {
  const { stderr } = await start(["run-app", "--no-worker"]);
  expect(stderr).toContain("worker  none: what is queued waits for one\nnext    taskonaut work\n");
});

test("a worker has no address", async () => {
  expect((await start(["work"])).stderr).toStartWith(
    "Waiting for tasks\nstore   postgres://ada@db/tasks\nflows   echo_add, order\n",
  );
});

test("many flows are counted, and no line is wider than the terminal", async () => {
  const flows = Array.from({ length: 100 }, (_, n) => `a_flow_with_a_long_name_${n}`);
  const { stderr } = await start(["run-app"], { flows });
  expect(stderr.replaceAll(/\n */g, " ")).toContain("name_11 and 88 more");
  for (const line of stderr.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("without a person, in another style, or where only warnings count, there is none", async () => {
  const plain = await start(["run-app"], { worker: WORKER, isTTY: false });
  expect(plain.stderr).toBe("");
  expect(plain.logged.slice(0, 2)).toEqual(["Listening on http://127.0.0.1:9", "Worker started"]);
  expect((await start(["run-app"], { env: { LOG_STYLE: "json" } })).stderr).toBe("");
  expect((await start(["work", "--logster"])).stderr).toBe("");
  expect((await start(["run-app"], { log: SILENT })).stderr).toBe("");
});

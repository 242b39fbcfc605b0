// `work`, and the worker inside `run-app`.

import { expect, mock, test } from "bun:test";
import type { Log, LogFields } from "../../core/log.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { SILENT } from "../../core/log.ts";
import { callCli, type CliCall, type CliResult, Signals } from "../../../test/support/cli.ts";
import type { RunningWorker, ServerOptions, WorkerFacts, WorkerOptions, Wiring } from "../wiring.ts";

const NOBODY = {} as Taskonaut;

function factsOf({ concurrency }: WorkerOptions): WorkerFacts {
  return { id: "w1", location: "sqlite:x.db", flows: ["echo_add", "order"], concurrency };
}

interface Run {
  readonly result: CliResult;
  readonly asked: WorkerOptions[];
  readonly logged: readonly (readonly [message: string, fields: LogFields | undefined])[];
}

/** Works until a signal comes, which it does as soon as the worker runs. */
async function work(
  argv: readonly string[],
  { stop = async () => {}, ...options }: Partial<CliCall> & { stop?: RunningWorker["stop"] } = {},
  signals = new Signals(),
): Promise<Run> {
  const asked: WorkerOptions[] = [];
  const logged: [string, LogFields | undefined][] = [];
  const log: Log = { ...SILENT, info: (message, fields) => logged.push([message, fields]) };
  const startWorker: Wiring["startWorker"] = async (given) => {
    asked.push(given);
    setImmediate(() => signals.send());
    return { ...factsOf(given), stop };
  };
  const result = await callCli(argv, { taskonaut: NOBODY, wiring: { log, startWorker }, ...options }, signals);
  return { result, asked, logged };
}

test("work says who works on what, drains at the first signal, and exits with 0", async () => {
  const stop = mock(async () => {});
  const { result, asked, logged } = await work(["work"], { stop });
  expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(result.settings?.logLevel).toBe("info");
  expect(asked).toEqual([{ concurrency: 100 }]);
  expect(stop).toHaveBeenCalledTimes(1);
  expect(logged[0]).toEqual([
    "Worker started",
    { worker_id: "w1", store: "sqlite:x.db", flows: "echo_add, order", concurrency: 100 },
  ]);
  expect(logged.at(-1)).toEqual(["Stopped", { worker_id: "w1" }]);
});

test("a second signal leaves at once", async () => {
  const signals = new Signals();
  const stop = (): Promise<void> => {
    signals.send();
    return new Promise(() => {});
  };
  const { result } = await work(["work"], { stop }, signals);
  expect(result.code).toBe(130);
  expect(result.stderr).toContain("Stopped at once.");
});

test("a signal right after the first one is the same, sent to the process and to its group", async () => {
  const signals = new Signals();
  const stop = mock(async () => {
    signals.send(3);
    signals.send(246);
  });
  const { result, logged } = await work(["work"], { stop }, signals);
  expect([result.code, result.stderr]).toEqual([0, ""]);
  expect(logged.at(-1)?.[0]).toBe("Stopped");
});

test("a signal a quarter of a second after the first one is a second one", async () => {
  const signals = new Signals();
  const stop = (): Promise<void> => {
    signals.send(249);
    signals.send(1);
    return new Promise(() => {});
  };
  expect((await work(["work"], { stop }, signals)).result.code).toBe(130);
});

test("a signal that comes while the database is opened counts", async () => {
  const signals = new Signals();
  const stop = mock(async () => {});
  const startWorker: Wiring["startWorker"] = async (given) => {
    signals.send();
    return { ...factsOf(given), stop };
  };
  expect((await callCli(["work"], { taskonaut: NOBODY, wiring: { startWorker } }, signals)).code).toBe(0);
  expect(stop).toHaveBeenCalledTimes(1);
});

test("--concurrency beats TASKONAUT_CONCURRENCY, which beats the default", async () => {
  const env = { TASKONAUT_CONCURRENCY: "7" };
  expect((await work(["work", "--concurrency", "10000"], { env })).asked).toEqual([{ concurrency: 10_000 }]);
  expect((await work(["work"], { env })).asked).toEqual([{ concurrency: 7 }]);
  expect((await work(["work"], { env: { TASKONAUT_CONCURRENCY: "" } })).asked).toEqual([{ concurrency: 100 }]);
});

test.each(["0", "10001", "many", "1.5", "-1"])("a concurrency of %s is refused, wherever it was said", async (text) => {
  const message = `expected a whole number from 1 to 10000, got "${text}"`;
  for (const [path, run] of [
    ["--concurrency", await work(["work", "--concurrency", text])],
    ["TASKONAUT_CONCURRENCY", await work(["work"], { env: { TASKONAUT_CONCURRENCY: text } })],
  ] as const) {
    expect([run.result.code, run.asked]).toEqual([2, []]);
    expect(run.result.stderr).toStartWith(`error: ${path}: ${message}\n`);
  }
});

test("an API address means nothing to work", async () => {
  const { result } = await work(["work", "--api-base-url", "http://127.0.0.1:1"]);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain("--api-base-url: work works on a database: use --database-url");
});

async function serve(
  argv: readonly string[],
  env = {},
): Promise<{ result: CliResult; asked: ServerOptions["worker"][] }> {
  const signals = new Signals();
  const asked: ServerOptions["worker"][] = [];
  const startServer: Wiring["startServer"] = async ({ worker }) => {
    asked.push(worker);
    setImmediate(() => signals.send());
    const { location, flows } = factsOf({ concurrency: 0 });
    return { url: "http://127.0.0.1:9", location, flows, worker: worker && factsOf(worker), stop: async () => {} };
  };
  const result = await callCli(["run-app", ...argv], { taskonaut: NOBODY, wiring: { startServer }, env }, signals);
  return { result, asked };
}

test("run-app has a worker inside, as large as it is told, unless --no-worker says otherwise", async () => {
  expect((await serve([])).asked).toEqual([{ concurrency: 100 }]);
  expect((await serve(["--concurrency", "5"])).asked).toEqual([{ concurrency: 5 }]);
  expect((await serve([], { TASKONAUT_CONCURRENCY: "6" })).asked).toEqual([{ concurrency: 6 }]);
  expect((await serve(["--no-worker"], { TASKONAUT_CONCURRENCY: "6" })).asked).toEqual([undefined]);
  const both = await serve(["--no-worker", "--concurrency", "5"]);
  expect([both.result.code, both.asked]).toEqual([2, []]);
  expect(both.result.stderr).toStartWith("error: --concurrency: contradicts --no-worker\n");
});

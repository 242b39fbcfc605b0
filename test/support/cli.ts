// The whole CLI, without a process: arguments in, text and exit code out.

import { expect } from "bun:test";
import { PassThrough } from "node:stream";
import type { Env, Io, Output } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type { Settings, Wiring } from "../../src/cli/wiring.ts";
import { SILENT } from "../../src/core/log.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { CREATED_AT } from "./tasks.ts";

/** Three minutes after the tasks of tests were created. */
const CLOCK = Date.parse(CREATED_AT) + 180_000;

export interface CliCall {
  /** What commands speak to. */
  readonly taskonaut: Taskonaut;
  readonly env?: Env;
  /** A terminal at all three ends. */
  readonly isTTY?: boolean;
  /** What a person types there, one entry for each question. */
  readonly types?: readonly string[];
  /** What a pipe brings, in place of a person. */
  readonly stdin?: string | Uint8Array;
  readonly wiring?: Partial<Wiring>;
  /** Nobody reads stdout after so many writes. */
  readonly writesMax?: number;
  /** The supervisor wants the process to leave as soon as it listens for that. */
  readonly dismissed?: boolean;
  /** Called with each text that goes to stderr. */
  readonly onStderr?: (text: string) => void;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly settings: Settings | undefined;
}

/** Signals for `io.onSignal`, sent by the test. */
export class Signals {
  private readonly listeners = new Set<() => void>();

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Milliseconds, as far as those who listen are told. */
  time = 0;

  /** By default long after the one before. */
  send(afterMs = 1000): void {
    this.time += afterMs;
    for (const listener of this.listeners) listener();
  }

  get count(): number {
    return this.listeners.size;
  }
}

export async function callCli(
  argv: readonly string[],
  options: CliCall,
  signals: Signals = new Signals(),
): Promise<CliResult> {
  const { env = {}, isTTY = false, types = [], stdin, writesMax = Number.POSITIVE_INFINITY } = options;
  const written = { stdout: "", stderr: "" };
  let writes = 0;
  const output = (name: "stdout" | "stderr"): Output => ({
    isTTY,
    columns: 100,
    write: async (text) => {
      if (name === "stdout" && ++writes > writesMax) return false;
      written[name] += text;
      if (name === "stderr") options.onStderr?.(text);
      return true;
    },
  });
  const io: Io = {
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdinIsTTY: isTTY,
    peekStdin: () => (stdin === undefined || stdin.length === 0 ? "empty" : "data"),
    openTerminal: () => (stdin === undefined ? openTerminal(types) : openPipe(stdin)),
    onSignal: signals.listen,
    onDismissal(listener) {
      if (options.dismissed) setImmediate(listener);
      return () => {};
    },
    now: () => signals.time,
    time: () => CLOCK,
  };
  let settings: Settings | undefined;
  const code = await runCli({
    argv,
    env,
    io,
    calledAs: "taskonaut",
    version: { version: "1.2.3", commit: "abc1234", bun: "1.4.5" },
    wire: (resolved) => {
      settings = resolved;
      return {
        log: SILENT,
        openTaskonaut: async () => options.taskonaut,
        openMigrator: unwired,
        backUp: unwired,
        sendSpans: unwired,
        openFlows: async () => ({
          passedOver: [],
          list: () => options.taskonaut.listFlows(),
          describe: (name) => options.taskonaut.describeFlow(name),
          check: unwired,
          findBreaches: () => [],
        }),
        readApiDocument: unwired,
        readClientPackage: unwired,
        hasFlowFile: () => true,
        readTemplate: unwired,
        startServer: unwired,
        startWorker: unwired,
        runBench: unwired,
        runTests: unwired,
        superviseServer: unwired,
        ...options.wiring,
      };
    },
  });
  // nobody listens any more, unless the second signal cut everything short
  if (!written.stderr.includes("at once. ")) expect(signals.count).toBe(0);
  return { code, ...written, settings };
}

function unwired(): never {
  throw new Error("not wired in this test");
}

function openPipe(content: string | Uint8Array): ReturnType<Io["openTerminal"]> {
  const input = new PassThrough();
  input.end(content);
  return { input, output: new PassThrough() };
}

/** Types the next answer whenever a question begins. */
function openTerminal(answers: readonly string[]): ReturnType<Io["openTerminal"]> {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...answers];
  output.on("data", (chunk: Buffer) => {
    // clack hides the cursor when a question begins
    if (!chunk.toString().includes("\u001b[?25l")) return;
    const answer = left.shift();
    if (answer !== undefined) setImmediate(() => input.write(answer));
  });
  return { input, output };
}

// Runs `dist/taskonaut` as its users do: as a process of its own, with nothing of this process's environment, in a
// folder of its own. What a test starts ends with its sandbox.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { binary } from "./binary.ts";
import { type Ended, follow, type Served, type Started, waitUntilListening } from "./served.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** Of what a process is to say or to do: only what goes wrong takes so long. */
const TIMEOUT_MS = 45_000;

type Variables = Readonly<Record<string, string>>;

export interface Sandbox extends AsyncDisposable {
  /** Working folder, home and data folder at once: the embedded store is `<folder>/taskonaut/taskonaut.db`. */
  readonly folder: string;
  /** A file in it, in folders that need not be there. Gives its path. */
  write(name: string, text: string): Promise<string>;
  /** Runs the program to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Starts `run-app`, on any free port if none is given, and returns when it listens. */
  serve(args?: readonly string[], options?: { readonly env?: Variables }): Promise<Served>;
  /** Starts the program, and leaves it to itself. */
  start(args: readonly string[], options?: { readonly env?: Variables }): Started;
  /** Starts the program in a pseudo-terminal, of 100 columns if unset. */
  terminal(
    args: readonly string[],
    options?: { readonly env?: Variables; readonly columns?: number },
  ): Promise<Terminal>;
}

interface RunOptions {
  /** Added to the sandbox's variables. */
  readonly env?: Variables;
  readonly stdin?: string;
  readonly cwd?: string;
  /** After that long the process is killed and `exit` is 137; 45 s if unset. */
  readonly timeoutMs?: number;
}

/**
 * An empty place to run the program in; `env` reaches everything that runs there. `command` stands for `dist/taskonaut`
 * where another form of the program is meant. Use it with `await using`.
 */
export async function openSandbox(env: Variables = {}, command?: readonly string[]): Promise<Sandbox> {
  const program = command ?? [await binary()];
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-e2e-"));
  const started: Subprocess[] = [];
  const variables = (more: Variables = {}): Record<string, string> => ({
    PATH: "/usr/bin:/bin",
    HOME: folder,
    XDG_DATA_HOME: folder,
    LANG: "C.UTF-8",
    ...env,
    ...more,
  });

  const spawn = (args: readonly string[], more?: Variables): Subprocess<"ignore", "pipe", "pipe"> => {
    const child = Bun.spawn([...program, ...args], {
      cwd: folder,
      env: variables(more),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    started.push(child);
    return child;
  };

  return {
    folder,

    async write(name, text) {
      const path = join(folder, name);
      await Bun.write(path, text);
      return path;
    },

    async run(args, { env: more, stdin = "", cwd = folder, timeoutMs = TIMEOUT_MS } = {}) {
      const child = Bun.spawn([...program, ...args], {
        cwd,
        env: variables(more),
        stdin: new Blob([stdin]),
        stdout: "pipe",
        stderr: "pipe",
        timeout: timeoutMs,
        killSignal: "SIGKILL",
      });
      started.push(child);
      const [exit, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
      return { exit, stdout, stderr };
    },

    async serve(args = [], { env: more } = {}) {
      const port = args.includes("--port") ? [] : ["--port", "0"];
      return waitUntilListening(spawn(["run-app", ...port, ...args], more), TIMEOUT_MS);
    },

    start: (args, { env: more } = {}) => follow(spawn(args, more), TIMEOUT_MS),

    async terminal(args, { env: more, columns = 100 } = {}) {
      const options = { env: variables(more), cwd: folder, columns, timeoutMs: TIMEOUT_MS };
      return openTerminal({ command: [...program, ...args], ...options }, (child) => started.push(child));
    },

    async [Symbol.asyncDispose]() {
      for (const child of started) child.kill("SIGKILL");
      await Promise.all(started.map((child) => child.exited));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

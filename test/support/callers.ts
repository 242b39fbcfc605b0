// A process that calls an engine of its own on a shared database. It opens it, says so, waits for a line on stdin, so
// that several start at once, makes all its calls together and prints what came of each.

import { TaskonautError } from "../../src/core/errors.ts";
import { openStore } from "./databases.ts";
import { engineOn } from "./engine.ts";

export interface CallersJob {
  readonly url: string;
  readonly calls: readonly { readonly kind: "advance" | "run"; readonly id: string }[];
}

/** The state that a call was told, or the code of its error. */
export interface CallResult {
  readonly id: string;
  readonly state: string;
}

if (import.meta.main) {
  const { url, calls } = JSON.parse(process.argv[2] ?? "") as CallersJob;
  const engine = engineOn(await openStore(url));
  await engine.checkReady();
  process.stdout.write("ready\n");
  for await (const _ of process.stdin) break;
  const results = calls.map(async ({ kind, id }): Promise<CallResult> => {
    try {
      const task = await (kind === "advance" ? engine.advanceTask(id) : engine.runTask(id));
      return { id, state: `${task.status} ${task.current_step}` };
    } catch (error) {
      return { id, state: error instanceof TaskonautError ? error.code : String(error) };
    }
  });
  process.stdout.write(`${JSON.stringify(await Promise.all(results))}\n`);
  await engine.close();
  process.exit(0);
}

/** Lets every job be done by a process of its own, all at once. */
export async function callTogether(jobs: readonly CallersJob[]): Promise<CallResult[]> {
  const children = jobs.map((job) => {
    return Bun.spawn([process.execPath, import.meta.path, JSON.stringify(job)], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
  });
  const outputs = children.map(async (child) => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const isFirst = text === "";
      text += decoder.decode(chunk, { stream: true });
      if (isFirst) arrived();
    }
    if ((await child.exited) !== 0)
      throw new Error(`A calling process ended with ${child.exitCode ?? child.signalCode}.`);
    return JSON.parse(text.slice("ready\n".length)) as CallResult[];
  });
  let ready = 0;
  function arrived(): void {
    ready += 1;
    if (ready < children.length) return;
    for (const { stdin } of children) {
      const written = stdin.write("go\n");
      Promise.resolve(written)
        .then(() => stdin.flush())
        .catch(() => {}); // a process that is gone by now is told of by its exit code
    }
  }
  return (await Promise.all(outputs)).flat();
}

// A process that calls an engine of its own on a shared database: all its calls together, and at once with other processes.

import { TaskonautError } from "../../src/core/errors.ts";
import { awaitGo, endWith, runTogether, startProcess } from "./children.ts";
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
  await awaitGo();
  const results = calls.map(async ({ kind, id }): Promise<CallResult> => {
    try {
      const task = await (kind === "advance" ? engine.advanceTask(id) : engine.runTask(id));
      return { id, state: `${task.status} ${task.current_step}` };
    } catch (error) {
      return { id, state: error instanceof TaskonautError ? error.code : String(error) };
    }
  });
  const told = await Promise.all(results);
  await engine.close();
  await endWith(told);
}

/** Lets every job be done by a process of its own, all at once. */
export async function callTogether(jobs: readonly CallersJob[]): Promise<CallResult[]> {
  const children = jobs.map((job) => startProcess(import.meta.path, [JSON.stringify(job)]));
  return (await runTogether(children)).flatMap((results) => results as CallResult[]);
}

// A process of its own with a few callers of one task. It says when it is ready, waits for a line, and tells how long each
// call took, in milliseconds.

import { call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import * as v from "valibot";
import { openStore } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";

const STEPS = 200;

const count = defineTool({
  name: "count",
  input: v.object({ number: v.number() }),
  output: v.object({ number: v.number() }),
  execution: "pure",
  run: (input) => input,
});

/** So long that no caller comes to its end. */
export const chain = defineFlow({
  name: "chain",
  input: v.object({}),
  *run() {
    for (let number = 1; number <= STEPS; number++) yield* call(count, { number });
    return null;
  },
});

export interface CallingJob {
  readonly url: string;
  readonly id: string;
  readonly callers: number;
  /** Of each caller, one after the other. */
  readonly advances: number;
}

if (import.meta.main) {
  const { url, id, callers, advances } = JSON.parse(process.argv[2] ?? "") as CallingJob;
  const engine = engineOn(await openStore(url), { flows: [chain] });
  await engine.checkReady();
  process.stdout.write("ready\n");
  for await (const _ of process.stdin) break;
  const times: number[] = [];
  const callInTurn = async (): Promise<void> => {
    for (let made = 0; made < advances; made++) {
      const started = performance.now();
      await engine.advanceTask(id);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: callers }, callInTurn));
  process.stdout.write(`${JSON.stringify(times)}\n`);
  await engine.close();
  process.exit(0);
}

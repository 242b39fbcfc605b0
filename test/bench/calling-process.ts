// A process of its own with a few callers of one task. It tells of each call when it began and when it ended.

import { call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import * as v from "valibot";
import { awaitGo, endWith } from "../support/children.ts";
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

/** So long that no caller ends. */
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

/** In milliseconds of a clock that all processes have. */
export interface CallTime {
  readonly start: number;
  readonly end: number;
}

if (import.meta.main) {
  const { url, id, callers, advances } = JSON.parse(process.argv[2] ?? "") as CallingJob;
  const engine = engineOn(await openStore(url), { flows: [chain] });
  await engine.checkReady();
  await awaitGo();
  const times: CallTime[] = [];
  const now = (): number => performance.timeOrigin + performance.now();
  const callInTurn = async (): Promise<void> => {
    for (let made = 0; made < advances; made++) {
      const start = now();
      await engine.advanceTask(id);
      times.push({ start, end: now() });
    }
  };
  await Promise.all(Array.from({ length: callers }, callInTurn));
  await engine.close();
  await endWith(times);
}

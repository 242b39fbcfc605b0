// A process of its own, for what it guards against stops the event loop for good: a write beside a running step is lost,
// the step ends before its driver hears of that, and what comes next waits for nothing.

import { setImmediate as nextTurn } from "node:timers/promises";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import type { Store } from "../../src/store/store.ts";
import { openStore } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { when } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";

const TURNS = 20;

const gate = new Gate("slow");
const flow = defineFlow({
  name: "slow_then_pure",
  input: v.unknown(),
  *run() {
    yield* all([call(gate.tool, 1), call(giveBack("beside", { execution: "pure" }), 2)]);
    return yield* call(giveBack("at_once", { execution: "pure" }), 3);
  },
});

const answered = Promise.withResolvers<void>();
let isLost = false;
let isHeard = false;

function losing(store: Store): Store {
  return {
    ...store,
    async commitChanges(changes) {
      // what is written beside the tool that runs: its own step was written before it began
      if (isLost || !changes.some(({ newCalls }) => newCalls.some(({ tool_name }) => tool_name === "beside")))
        return store.commitChanges(changes);
      isLost = true;
      await answered.promise;
      return changes.map(() => false);
    },
    async readInbox(id, query) {
      const inbox = await store.readInbox(id, query);
      if (isLost && !isHeard) {
        isHeard = true;
        gate.end(0, 1);
        await turns();
        answered.resolve();
        await turns();
      }
      return inbox;
    },
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}

const engine = engineOn(losing(await openStore(process.argv[2] ?? "")), { flows: [flow] });
await engine.startWorker({ concurrency: 1 });
const { task } = await engine.createTask({ flow: flow.name, input: 1, start: "now" });
await gate.called(2);
gate.end(1, 1);
const { status } = await when(engine, task.id, (now) => now.status === "COMPLETED");
await engine.close();
process.stdout.write(`${status}\n`);

// A worker that claims again what it has just let go of, before it hears that it is let go of.

import { describe, expect, test } from "bun:test";
import { call, sleep } from "../../src/core/flow/operation.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { turn } from "../support/fake-clock.ts";
import { enqueue } from "../support/queue.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { flowOf, workerBench } from "./worker-bench.ts";

const TURNS = 20;

/** The answer to the first commit that lets go of a task comes when that task was claimed again. */
class SlowAnswers {
  claims = 0;
  readonly #claimed: string[] = [];
  #isPast = false;

  readonly around = (store: Store): Store => ({
    ...store,
    claimTasks: async (request) => {
      const claim = await store.claimTasks(request);
      this.claims += 1;
      this.#claimed.push(...claim.tasks.map(({ record }) => record.task.id));
      return claim;
    },
    commitChanges: async (changes) => {
      const letGo = changes.find(({ task }) => task.lease_owner === null && task.due_at !== null)?.taskId;
      const won = await store.commitChanges(changes);
      if (letGo === undefined || this.#isPast) return won;
      this.#isPast = true;
      await until(() => this.#claimed.filter((id) => id === letGo).length > 1);
      await turn(); // the worker has taken it
      return won;
    },
  });
}

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { working } = workerBench(create);

  test("holds a task that it claimed again, whatever it hears of the time before", async () => {
    const gate = new Gate("busy");
    const flow = flowOf(function* () {
      yield* sleep(1);
      return yield* call(gate.tool, null);
    });
    const answers = new SlowAnswers();
    const { engine, worker } = await working({
      flows: [flow],
      around: answers.around,
      concurrency: 1,
      limits: { graceMs: 2_000 },
    });
    const id = await enqueue(engine, flow.name);
    await gate.called();
    await turn();

    const { claims } = answers;
    await enqueue(engine, "echo_add");
    for (let count = 0; count < TURNS; count++) await turn();
    expect(answers.claims).toBe(claims); // its one place is taken

    let isStopped = false;
    const stopping = worker.stop().then(() => (isStopped = true));
    for (let count = 0; count < TURNS; count++) await turn();
    expect(isStopped).toBe(false);
    gate.end(0, "done");
    await stopping;
    expect(await engine.getTask(id)).toMatchObject({ lease_owner: null, steps: [{}, { output_payload: "done" }] });
  });
});

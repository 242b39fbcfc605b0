// What came of a tool is known from the moment in which it ends. No outage of the database, and nobody who locks its
// tables for a while, makes a worker call the tool again, or put its step in doubt.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { hasCode, TaskonautError } from "../../src/core/errors.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import type { Execution } from "../../src/core/record/record.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { flowOf, inTurn, workerBench } from "./worker-bench.ts";

type Method = "claimTasks" | "commitChanges" | "readInbox" | "releaseTasks";

/** A store some of whose methods do not reach the database, as the test says. */
class Outage {
  readonly #away = new Set<Method>();
  /** How often a method was called while it was away, and while it was not. */
  readonly failed = { claimTasks: 0, commitChanges: 0, readInbox: 0, releaseTasks: 0 };
  readonly done = { claimTasks: 0, commitChanges: 0, readInbox: 0, releaseTasks: 0 };

  begin(...methods: readonly Method[]): void {
    for (const method of methods) this.#away.add(method);
  }

  end(...methods: readonly Method[]): void {
    for (const method of methods) this.#away.delete(method);
  }

  /** For `around` of a bench's engine. */
  readonly watch = (store: Store): Store => ({
    ...store,
    claimTasks: (request) => this.#reach("claimTasks", () => store.claimTasks(request)),
    commitChanges: (changes) => this.#reach("commitChanges", () => store.commitChanges(changes)),
    readInbox: (taskId, query) => this.#reach("readInbox", () => store.readInbox(taskId, query)),
    releaseTasks: (release) => this.#reach("releaseTasks", () => store.releaseTasks(release)),
  });

  async #reach<T>(method: Method, run: () => Promise<T>): Promise<T> {
    if (this.#away.has(method)) {
      this.failed[method] += 1;
      throw new TaskonautError("database_unavailable", "The database is away.");
    }
    const result = await run();
    this.done[method] += 1;
    return result;
  }
}

const EXECUTIONS: readonly Execution[] = ["at-least-once", "at-most-once"];

describe.each(DATABASES)("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);

  test.each(EXECUTIONS)("lets a tool that is %s run on while its inbox cannot be read", async (execution) => {
    const gate = new Gate("busy", { execution });
    const flow = inTurn(gate.tool);
    const outage = new Outage();
    const { engine } = await working({ flows: [flow], around: outage.watch });
    const id = await enqueue(engine, flow.name);
    await gate.called();
    outage.begin("readInbox");
    await until(() => outage.failed.readInbox >= 2);
    expect(await engine.getTask(id)).toMatchObject({ status: "RUNNING", waiting_for: [] });
    outage.end("readInbox");
    const { readInbox } = outage.done;
    await until(() => outage.done.readInbox > readInbox);
    gate.end(0, "done");
    expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: ["done"] });
    expect([gate.calls.length, gate.calls[0]?.signal.aborted]).toEqual([1, false]);
  });

  test("does not let go of a task whose outcome waits for the database to take writes again", async () => {
    const [quick, slow] = [new Gate("quick"), new Gate("slow")];
    const flow = flowOf(function* () {
      return yield* all({ quick: call(quick.tool, 1), slow: call(slow.tool, 2) });
    });
    const outage = new Outage();
    const { engine } = await working({ flows: [flow], around: outage.watch });
    const { task } = await engine.createTask({ flow: flow.name, input: {} });
    await engine.advanceTask(task.id);
    // by hand: the advance is over with the first outcome, and the other tool runs on
    const advancing = engine.advanceTask(task.id);
    await Promise.all([quick.called(), slow.called()]);
    quick.end(0, "soon");
    await advancing;
    outage.begin("claimTasks", "commitChanges", "releaseTasks");
    await (await bench.openStore()).announce();
    await until(() => outage.failed.claimTasks > 0 || outage.failed.releaseTasks > 0);
    slow.end(0, "late");
    await until(() => outage.failed.commitChanges > 0);
    const { claimTasks, releaseTasks } = outage.done;
    outage.end("claimTasks", "releaseTasks");
    // it lets go of what it may hold without knowing
    await until(() => outage.done.releaseTasks > releaseTasks && outage.done.claimTasks > claimTasks);
    outage.end("commitChanges");
    expect(await ended(engine, task.id)).toMatchObject({
      status: "COMPLETED",
      output_payload: { quick: "soon", slow: "late" },
    });
    expect(slow.calls).toHaveLength(1);
  });
});

describe.each(DATABASES.filter(([name]) => name === "postgres"))("a worker on %s", (_name, create) => {
  const { bench, working } = workerBench(create);
  let admin: postgres.Sql;
  beforeAll(() => {
    admin = postgres(bench.database.url, { max: 1, onnotice: () => {} });
  });
  afterAll(() => admin.end());

  test.each(EXECUTIONS)(
    "records what came of a tool that is %s although somebody locks the tasks when it ends",
    async (execution) => {
      const gate = new Gate("busy", { execution });
      const flow = inTurn(gate.tool);
      let refused = 0;
      const around = (store: Store): Store => ({
        ...store,
        commitChanges: async (changes) => {
          try {
            return await store.commitChanges(changes);
          } catch (error) {
            if (hasCode(error, "task_busy")) refused += 1;
            throw error;
          }
        },
      });
      const { engine } = await working({ flows: [flow], around });
      const id = await enqueue(engine, flow.name);
      await gate.called();
      // as `create index` does
      await admin.begin(async (locker) => {
        await locker`lock table taskonaut.tasks in share mode`;
        gate.end(0, "done");
        await until(() => refused >= 2);
      });
      expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: ["done"] });
      expect(gate.calls).toHaveLength(1);
    },
  );
});

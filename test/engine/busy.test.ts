// A task that another process drives: who drives it is told at once, and again where it does not come free.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import { DATABASES, type EngineDatabase } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { rejection } from "../support/rejection.ts";

/** A flow whose tool ends when the test says so. */
function slowFlow() {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<null>();
  const nap = defineTool({
    name: "nap",
    input: v.null(),
    output: v.null(),
    async run() {
      begun.resolve();
      return end.promise;
    },
  });
  const flow = defineFlow({
    name: "slow",
    input: v.unknown(),
    *run() {
      yield* call(nap, null, { as: "charge" });
    },
  });
  return { flow, begun: begun.promise, end: () => end.resolve(null) };
}

/** A task whose tool runs in an engine of its own. */
async function driveSlowly(database: EngineDatabase) {
  const { flow, begun, end } = slowFlow();
  const first = engineOn(await database.openStore(), { flows: [flow] });
  const { task } = await first.createTask({ flow: "slow", input: null });
  const running = first.runTask(task.id);
  await begun;
  return { flow, task, first, running, end };
}

const DRIVEN = new RegExp(
  `worker test:${process.pid} drives it, step 1 charge since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ`,
);

describe.each(DATABASES)("on %s", (_name, create) => {
  test("a caller is told who drives the task, and since when, and runs it on when it is free", async () => {
    await using database = await disposable(create);
    const { flow, task, first, running, end } = await driveSlowly(database);
    const told = Promise.withResolvers<string>();
    const second = engineOn(await database.openStore(), { flows: [flow], tellWait: told.resolve });
    const waiting = second.runTask(task.id);
    const what = await told.promise;
    expect(what).toStartWith(`task ${task.id}: `);
    expect(what).toMatch(DRIVEN);
    end();
    expect([(await running).status, (await waiting).status]).toEqual(["COMPLETED", "COMPLETED"]);
    await Promise.all([first.close(), second.close()]);
  });

  test("a caller for whom it does not come free is told the same with the error", async () => {
    await using database = await disposable(create);
    const { flow, task, first, running, end } = await driveSlowly(database);
    const second = engineOn(await database.openStore(), { flows: [flow], limits: { busyMs: 50 } });
    const refused = await rejection(second.runTask(task.id));
    expect(refused).toMatchObject({ code: "task_busy", details: { id: task.id } });
    expect(refused.message).toMatch(DRIVEN);
    end();
    await running;
    await Promise.all([first.close(), second.close()]);
  });
});

async function disposable(create: (typeof DATABASES)[number][1]) {
  const database = await create();
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.drop() });
}

// An operation on many tasks whose process dies before and after each write that it makes: others go on with it, and in
// the end each task was acted on once.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BULK_ACTIONS, type BulkAction, type BulkRequest } from "../../src/core/api/bulk.ts";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { isTerminal } from "../../src/core/record/status.ts";
import type { Store } from "../../src/store/store.ts";
import { DATABASES } from "../support/databases.ts";
import { World } from "../support/mortal-store.ts";

const COUNT = 5;
/** More writes than any operation makes here. */
const WRITES_MAX = 60;

/** How often each task called its tool. */
function flowOf(calls: Map<string, number>): Flow {
  const charge = defineTool({
    name: "charge",
    input: v.unknown(),
    output: v.null(),
    retry: { attempts: 1 },
    run: (_input, { taskId }) => {
      calls.set(taskId, (calls.get(taskId) ?? 0) + 1);
      throw new Error("refused");
    },
  });
  return defineFlow({
    name: "order",
    input: v.strictObject({ waits: v.boolean() }),
    signals: { go: v.unknown() },
    *run({ waits }) {
      if (waits) return yield* waitForSignal("go");
      return yield* call(charge, null);
    },
  });
}

const requestOf = (action: BulkAction): BulkRequest => ({
  action,
  filter: { flow: ["order"] },
  ...(action === "signal" && { signal: { name: "go", payload: 1 } }),
});

/** Half of the tasks wait, or have failed; the others were not begun where that matters. */
async function prepare(world: World, store: Store, action: BulkAction): Promise<readonly string[]> {
  const { engine } = world.engine();
  const ids: string[] = [];
  for (let n = 0; n < COUNT; n++) {
    const waits = action !== "retry" && action !== "delete";
    const { id } = (await engine.createTask({ flow: "order", input: { waits } })).task;
    if (action !== "cancel" || n % 2 === 0) await engine.runTask(id);
    if (action === "resume") await park(store, id);
    ids.push(id);
  }
  return ids;
}

async function park(store: Store, id: string): Promise<void> {
  const task = (await store.readTask(id))?.task;
  if (!task) throw new Error("It is there.");
  const parked = { ...task, version: task.version + 1, parked_reason: "for the test", parked_code: null, due_at: null };
  const none = { newSteps: [], changedSteps: [], newCalls: [], changedCalls: [], consumed: [], posts: [] };
  const fence = { taskId: id, expectedVersion: task.version, expectedOwner: task.lease_owner, fromStatus: task.status };
  await store.commitChanges([{ ...fence, ...none, reopens: false, retags: false, task: parked }]);
}

describe.each(DATABASES)("an operation that dies on %s", (_name, create) => {
  test.each([...BULK_ACTIONS])(
    "anywhere in %s, each task was acted on once in the end",
    async (action) => {
      const database = await create();
      const store = await database.openStore();
      try {
        for (let number = 1, isOver = false; !isOver && number <= WRITES_MAX; number++) {
          for (const side of ["before", "after"] as const) {
            const calls = new Map<string, number>();
            const world = new World(store, [flowOf(calls)]);
            const ids = await prepare(world, store, action);
            const doomed = world.engine();
            const { token } = await doomed.engine.bulk.preview(requestOf(action));
            const begun = world.writes;
            let died = false;
            world.listener = (moment) => {
              if (died || moment.write - begun !== number || moment.side !== side) return undefined;
              died = true;
              return "die";
            };
            const request = { ...requestOf(action), token };
            const run = async (): Promise<void> => {
              const { task } = await doomed.engine.bulk.start(request);
              await doomed.engine.runTask(task.id);
            };
            await run().catch(() => {});
            isOver = !died;
            world.listener = undefined;
            const { engine } = world.engine();
            // asked once more it is the same operation
            const { task } = await engine.bulk.start(request);
            expect((await engine.runTask(task.id)).status).toBe("COMPLETED");
            await expectDone(action, ids, store, calls, `write ${number}, ${side}`);
            await store.removal.removeTasks({ ids });
            for (const id of ids) {
              const row = await store.readTaskRow(id);
              if (row && !isTerminal(row.status)) await engine.cancelTask(id, { force: true });
            }
            await world.end();
          }
        }
      } finally {
        await store.close();
        await database.drop();
      }
    },
    120_000,
  );
});

async function expectDone(
  action: BulkAction,
  ids: readonly string[],
  store: Store,
  calls: ReadonlyMap<string, number>,
  when: string,
): Promise<void> {
  for (const id of ids) {
    const record = await store.readTask(id);
    const heard = (await store.readInbox(id, { names: ["go"], after: 0 })).rows;
    switch (action) {
      case "delete":
        expect({ when, record }).toEqual({ when, record: undefined });
        break;
      case "retry":
        expect({
          when,
          status: record?.task.status,
          epoch: record?.steps[0]?.attempt_epoch,
          calls: calls.get(id),
        }).toEqual({
          when,
          status: "RUNNING",
          epoch: 1,
          calls: 1,
        });
        break;
      case "resume":
        expect({ when, parked: record?.task.parked_reason }).toEqual({ when, parked: null });
        break;
      case "signal":
        expect({ when, heard: heard.map(({ kind }) => kind) }).toEqual({ when, heard: ["signal"] });
        break;
      case "cancel":
        if (record?.task.status === "CANCELLED") expect({ when, heard }).toEqual({ when, heard: [] });
        else expect({ when, heard: heard.map(({ kind }) => kind) }).toEqual({ when, heard: ["cancel"] });
        break;
    }
  }
}

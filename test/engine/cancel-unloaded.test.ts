// A cancel asked of a process that has not loaded the task's flow: it is recorded there, and carried out elsewhere.

import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { DATABASES } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";
import { until } from "../support/until.ts";

const waits = defineFlow({
  name: "waits",
  input: v.unknown(),
  signals: { go: v.unknown() },
  *run() {
    return yield* waitForSignal("go");
  },
});

test.each(DATABASES)(
  "on %s a cancel without the flow is no error, and a worker that has it ends the task",
  async (_, create) => {
    const database = await create();
    const owner = engineOn(await database.openStore(), { flows: [waits] });
    const stranger = engineOn(await database.openStore());
    try {
      const ids: string[] = [];
      for (const isBegun of [false, true]) {
        const { id } = (await owner.createTask({ flow: "waits", input: null })).task;
        const { status } = isBegun ? await owner.runTask(id) : await owner.getTask(id);
        expect(await stranger.cancelTask(id)).toMatchObject({ id, status });
        ids.push(id);
      }
      await owner.startWorker({ concurrency: 2 });
      await until(async () => {
        const tasks = await Promise.all(ids.map((id) => stranger.getTask(id)));
        return tasks.every(({ status }) => status === "CANCELLED");
      });
      expect(await stranger.cancelTask(ids[0] ?? "")).toMatchObject({ status: "CANCELLED" });
    } finally {
      await Promise.all([owner.close(), stranger.close()]);
      await database.drop();
    }
  },
);

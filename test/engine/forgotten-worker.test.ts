// A process that stood still for so long that the others have forgotten it, and then goes on as if nothing had been.

import { describe, expect, test } from "bun:test";
import { DATABASES } from "../support/databases.ts";
import { ended } from "../support/queue.ts";
import { Gate, giveBack } from "../support/tools.ts";
import { inTurn, workerBench } from "./worker-bench.ts";

describe.each(DATABASES)("a process on %s that was forgotten while it stood still", (_name, create) => {
  const { bench, working } = workerBench(create);

  test("and dies with a task before it has been heard of again, does not keep the task", async () => {
    const gate = new Gate("busy");
    const [before, flow] = [inTurn(giveBack("before")), inTurn(gate.tool)];
    const { engine: forgotten, die } = await bench.openDoomed({ flows: [before, flow] });
    // it is known as a worker from the first tool on that is not pure
    await forgotten.runTask((await forgotten.createTask({ flow: before.name, input: {} })).task.id);
    const other = await bench.openStore();
    for (const { id } of await other.listWorkers()) await other.removeWorker(id);
    const { task } = await forgotten.createTask({ flow: flow.name, input: {} });
    forgotten.runTask(task.id).catch(() => {});
    await gate.called();
    expect(await other.listWorkers()).toEqual([]);
    await die();
    const { engine } = await working({ flows: [flow] });
    await gate.called(2);
    gate.end(1, "again");
    expect(await ended(engine, task.id)).toMatchObject({ status: "COMPLETED", output_payload: ["again"] });
  });
});

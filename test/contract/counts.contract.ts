// Counts. That they are right after whatever was written, every other test of the contract checks in the end.

import { describe, expect, test } from "bun:test";

import type { Place } from "./place.ts";
import { changeOf, inStatus, plannedRecord } from "./rows.ts";
import { taskBench } from "./task-bench.ts";

export function countContract(dialect: string, create: () => Promise<Place>): void {
  describe(`${dialect}: counts`, () => {
    const bench = taskBench(create);

    test("tasks are counted by flow and state as they come, change and go", async () => {
      const { store } = bench;
      const one = await bench.insert(plannedRecord());
      const other = await bench.insert(plannedRecord({ flow_name: "order" }));
      expect(await store.counts.read()).toEqual([
        { flow_name: "echo_add", status: "PLANNED", tasks: 1 },
        { flow_name: "order", status: "PLANNED", tasks: 1 },
      ]);
      // an insert of what is there, and a change that has lost its fence, count nothing
      expect(await store.insertTasks([one])).toEqual([false]);
      const ended = changeOf(one.task, inStatus("CANCELLED"));
      expect(await store.commitChanges([ended, changeOf(other.task, { version: 5 })])).toEqual([true, true]);
      expect(await store.commitChanges([changeOf(other.task, inStatus("CANCELLED"))])).toEqual([false]);
      expect(await store.counts.read()).toEqual([
        { flow_name: "echo_add", status: "CANCELLED", tasks: 1 },
        { flow_name: "order", status: "PLANNED", tasks: 1 },
      ]);
      await store.removal.removeTasks({ ids: [one.task.id] });
      expect(await store.counts.read()).toEqual([{ flow_name: "order", status: "PLANNED", tasks: 1 }]);
    });

    test("what many writes have added is put together, also by several at once, and counts are the same", async () => {
      const { store } = bench;
      for (let n = 0; n < 210; n++) await bench.insert(plannedRecord({ flow_name: `flow_${n % 3}` }));
      const counts = await store.counts.read();
      expect(counts.map(({ tasks }) => tasks)).toEqual([70, 70, 70]);
      await Promise.all([store.counts.fold(), store.counts.fold()]);
      expect(await store.counts.read()).toEqual(counts);
      expect(await bench.place.count("task_counts")).toBeLessThanOrEqual(6);
    });
  });
}

// What is read of a task with very many steps, when somebody looks at some of them.

import { describe, expect, test } from "bun:test";
import { LARGE_BYTES } from "../../src/store/sizes.ts";
import type { StepRange } from "../../src/core/record/step-range.ts";
import { pickSteps } from "../../src/server/pick-steps.ts";
import { callRow, stepRow, taskRow } from "../contract/rows.ts";
import { DATABASES } from "../support/databases.ts";
import { benchOn } from "../support/bench.ts";
import { engineOn } from "../support/engine.ts";

const STEPS = 5_000;

describe.each(DATABASES)("a task of thousands of steps on %s", (_name, create) => {
  const bench = benchOn(create);

  test("is read as far as somebody looks at it, and told as if all of it had been read", async () => {
    const store = await bench.openStore();
    const task = taskRow({
      status: "WAITING_OBSERVATION",
      version: 2,
      observed_count: STEPS - 1,
      recorded_bytes: LARGE_BYTES + 1,
      waits: 2,
    });
    const steps = Array.from({ length: STEPS }, (_, index) =>
      index === 41
        ? stepRow(task.id, { step_index: 42, kind: "signal", step_name: "go", target: "go", execution: null })
        : stepRow(task.id, {
            step_index: index + 1,
            status: "COMPLETED",
            output_payload: "1",
            outcome_seq: index < 41 ? index + 1 : index,
            observed_at: index,
          }),
    );
    const calls = steps
      .filter(({ kind }) => kind === "tool")
      .map((step) => callRow(step, { status: "COMPLETED", response_payload: "1", finished_at: 5 }));
    await store.insertTasks([{ task, steps, calls }]);
    let rows = 0;
    const counting = {
      ...store,
      readTask: async (...asked: Parameters<typeof store.readTask>) => {
        const record = await store.readTask(...asked);
        rows = (record?.steps.length ?? 0) + (record?.calls.length ?? 0);
        return record;
      },
    };
    const engine = engineOn(counting, { flows: [] });
    const whole = await engine.getTaskSummary(task.id);
    expect(rows).toBe(2 * STEPS - 1);
    for (const range of [{ from: 2001, to: 3000 }, { from: 1, to: 50 }, "last"] satisfies StepRange[]) {
      const part = pickSteps(await engine.getTaskSummary(task.id, { steps: range }), range);
      expect(part).toEqual(pickSteps(whole, range));
      expect([part.step_count, part.waiting_for.length]).toEqual([STEPS, 1]);
      expect(rows).toBeLessThanOrEqual(2 * part.steps.length + 2);
    }
  }, 60_000);
});

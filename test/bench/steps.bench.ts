import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { SILENT } from "../../src/core/log.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { recover } from "../../src/engine/task/recover.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { add } from "../../src/flows/tools.ts";
import { call, defineFlow } from "../../src/sdk/taskonaut.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Bench, Row } from "./bench.ts";
import { median, milliseconds, ratio, timed } from "./figures.ts";

const RUNS = 9;
const FEW = 10;
const MANY = 1000;

const countUp = defineFlow({
  name: "count_up",
  input: v.object({ steps: v.number() }),
  *run({ steps }) {
    let sum = 0;
    for (let step = 0; step < steps; step++) sum = (yield* call(add, { a: sum, b: 1 })).sum;
    return sum;
  },
}) as Flow;

export const steps: Bench = {
  name: "steps",
  title:
    "A flow of sequential steps: what one step costs live, and what recovering the whole record costs (SQLite in memory)",
  async run() {
    const store = await openSqliteStore({ path: ":memory:" });
    const engine = createEngine({
      store,
      flows: [countUp],
      clock: systemClock,
      log: SILENT,
      limits: { ...DEFAULT_LIMITS, stepsPerTask: MANY },
      newId: () => Bun.randomUUIDv7(),
      workerName: "bench",
    });
    const perStep = { few: [] as number[], many: [] as number[] };
    const replays: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const few: number[] = [];
      for (let i = 0; i < MANY / FEW; i++) few.push(await live(FEW));
      perStep.few.push(median(few) / FEW);
      perStep.many.push((await live(MANY)) / MANY);
      const { task } = await engine.createTask({ flow: countUp.name, input: { steps: MANY } });
      await engine.runTask(task.id);
      const record = await store.readTask(task.id);
      if (!record) throw new Error("The task is gone.");
      replays.push(await timed(() => recover(countUp, record, MANY)));
    }
    await engine.close();

    async function live(count: number): Promise<number> {
      const { task } = await engine.createTask({ flow: countUp.name, input: { steps: count } });
      return timed(() => engine.runTask(task.id));
    }

    const [few, many] = [median(perStep.few), median(perStep.many)];
    const rows: Row[] = [
      { what: `a step, of ${FEW}`, p50: milliseconds(few), ratio: "1.0×", target: "" },
      { what: `a step, of ${MANY}`, p50: milliseconds(many), ratio: ratio(many, few), target: "≤ 1.25×" },
      { what: `recovery of ${MANY} steps`, p50: milliseconds(median(replays)), ratio: "", target: "≤ 50 ms" },
    ];
    return rows;
  },
};

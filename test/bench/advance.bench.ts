import type { Bench, Row } from "./bench.ts";
import { median, milliseconds, ratio, timed } from "./figures.ts";
import { openBareInsert, openPlaces, type Place } from "./places.ts";

const TASKS = 200;
const TASKS_WARM_UP = 40;
/** Of `echo_add`: RUNNING, echo, RUNNING, add, COMPLETED. */
const TRANSITIONS = 5;

export const advance: Bench = {
  name: "advance",
  title: "One transition of one task, one caller, beside a bare one-row insert and commit on the same database",
  async run() {
    const rows: Row[] = [];
    for (const place of await openPlaces()) {
      rows.push(await measure(place));
      await place.dispose();
    }
    return rows;
  },
};

/** Takes turns, transition by transition: what disturbs the one disturbs the other. */
async function measure({ store, durability, databaseUrl, wiring }: Place): Promise<Row> {
  const taskonaut = await wiring.openTaskonaut();
  const bare = await openBareInsert(databaseUrl);
  const advances: number[] = [];
  const inserts: number[] = [];
  for (let round = 0; round < TASKS_WARM_UP + TASKS; round++) {
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    for (let transition = 0; transition < TRANSITIONS; transition++) {
      const advanceMs = await timed(() => taskonaut.advanceTask(task.id));
      const insertMs = await timed(() => bare.insert());
      if (round < TASKS_WARM_UP) continue;
      advances.push(advanceMs);
      inserts.push(insertMs);
    }
  }
  await bare.close();
  await taskonaut.close();
  return {
    store,
    "advance p50": milliseconds(median(advances)),
    "insert p50": milliseconds(median(inserts)),
    ratio: ratio(median(advances), median(inserts)),
    target: "≤ 4×",
    durability,
  };
}

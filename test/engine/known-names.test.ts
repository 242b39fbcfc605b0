// A filter that names what there is not is refused with what there is, whoever asks for what: on both stores.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BULK_FLOW } from "../../src/core/api/bulk.ts";
import type { TaskFilter } from "../../src/core/api/task-filter.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { defineFlow } from "../../src/sdk/taskonaut.ts";
import { plannedRecord, scheduleRow } from "../contract/rows.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";

const order = defineFlow({
  name: "order",
  input: v.object({}),
  schedules: [{ name: "nightly", cron: "30 2 * * *" }],
  *run() {},
});

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

/** All that takes a filter. */
function asksOf(engine: Engine, filter: TaskFilter): readonly (() => Promise<unknown>)[] {
  return [
    () => engine.listTasks({ limit: 1, filter }),
    () => engine.listTaskSummaries({ limit: 1, filter }),
    () => engine.countTasks({ filter }),
    () => engine.countTasks({ filter: { ...filter, priority: 1 } }),
    () => engine.bulk.preview({ action: "cancel", filter }),
    () => engine.bulk.purge({ filter, isDryRun: true }),
    () => first(engine.events.listen({ filter, signal: AbortSignal.timeout(60_000) })),
  ];
}

describe.each(DATABASES)("names in filters on %s", (_, create) => {
  const bench = benchOn(create);

  test("of a flow that is nowhere are refused with what there is, also beside one that is there", async () => {
    const engine = await bench.openEngine({ flows: [order] });
    for (const flow of [["oder"], ["order", "oder"]]) {
      for (const ask of asksOf(engine, { flow })) {
        expect(await rejection(ask())).toMatchObject({
          code: "input_invalid",
          message: expect.stringMatching(
            /^The filter is wrong: flow: unknown flow "oder"; known: .*order.*; did you mean order\?$/,
          ),
          errors: [{ path: "flow" }],
        });
      }
    }
    const stats = await rejection(engine.readStats({ flow: "oder" }));
    expect(stats).toMatchObject({ code: "input_invalid", errors: [{ path: "flow" }] });
    expect((await engine.readStats({ flow: "order" })).total.created).toBe(0);
  });

  test("of a flow that is loaded here or by a worker, or has a task or a schedule, are known", async () => {
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [order] });
    await store.insertTasks([plannedRecord({ flow_name: "has_task" })]);
    await store.schedules.insert(scheduleRow({ name: "weekly", flow_name: "has_schedule" }));
    await store.registerWorker({
      id: Bun.randomUUIDv7(),
      name: "other",
      leaseMs: 60_000,
      concurrency: 1,
      flows: ["at_work"],
    });
    for (const flow of ["order", "has_task", "has_schedule", "at_work", BULK_FLOW]) {
      const isListed = await engine.listTasks({ limit: 9, filter: { flow: [flow] } });
      expect([flow, isListed.tasks.length]).toEqual([flow, flow === "has_task" ? 1 : 0]);
    }
    // operations of many tasks are a flow that nobody is told of
    const { message } = await rejection(engine.countTasks({ filter: { flow: ["zzz"] } }));
    expect(message).toMatch(/known: at_work, (?:[a-z_]+, )*has_schedule, has_task, (?:[a-z_]+, )*order/);
    expect(message).not.toContain(BULK_FLOW);
  });

  test("of a flow that a token is for say nothing: whoever has mistyped one is told, and told again", async () => {
    const engine = await bench.openEngine({ flows: [order] });
    const { token, warnings } = await engine.tokens.create({ name: "ci", role: "submit", flows: ["order", "oder"] });
    expect(token).toMatchObject({ flows: ["oder", "order"], state: "active" });
    expect(warnings).toEqual([expect.stringMatching(/^unknown flow "oder"; known: .*order.*; did you mean order\?$/)]);
    expect((await engine.tokens.rotate(token.id, 0)).warnings).toEqual([]);
    expect(await rejection(engine.countTasks({ filter: { flow: ["oder"] } }))).toMatchObject({ code: "input_invalid" });
    expect((await engine.tokens.create({ name: "all", role: "submit" })).warnings).toEqual([]);
  });

  test("of a flow that is not there yet are known to whoever may see only that one: others are no business of his", async () => {
    const engine = await bench.openEngine({ flows: [order] });
    const { secret } = await engine.tokens.create({ name: "ci", role: "viewer", flows: ["refund"] });
    const filter = { flow: ["refund"] };
    expect(await rejection(engine.countTasks({ filter }))).toMatchObject({ code: "input_invalid" });
    expect(await engine.tokens.admit(secret)).toMatchObject({ flows: ["refund"] });
    expect((await engine.listTasks({ limit: 1, filter })).tasks).toEqual([]);
    expect(await rejection(engine.countTasks({ filter: { flow: ["oder"] } }))).toMatchObject({ code: "input_invalid" });
  });

  test("of a schedule are known that is in a file, is stored, or has left tasks behind", async () => {
    const store = await bench.openStore();
    const engine = await bench.openEngine({ flows: [order] });
    await store.schedules.insert(scheduleRow({ name: "stored", flow_name: "order" }));
    await store.insertTasks([plannedRecord({ flow_name: "order", schedule: "removed" })]);
    for (const schedule of ["nightly", "stored", "removed"]) await engine.listTasks({ limit: 1, filter: { schedule } });
    for (const ask of asksOf(engine, { schedule: "nightl" })) {
      expect(await rejection(ask())).toMatchObject({
        code: "input_invalid",
        message: expect.stringMatching(/unknown schedule "nightl"; known: .*nightly.*did you mean nightly\?$/),
      });
    }
  });
});

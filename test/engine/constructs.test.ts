// Every construct, on both stores: run as it is, with a new engine for each transition, and with an engine that dies
// before and after each of its writes. All must leave the same rows.

import { describe, expect, test } from "bun:test";
import type { Flow } from "../../src/core/flow/flow.ts";
import { CANCELLED, CONSTRUCTS, FLOWS } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { World } from "../support/mortal-store.ts";
import { advanceToEnd, answer, breaches, rowsOf, runToEnd, type Script } from "../support/scripts.ts";
import { useWorlds } from "../support/worlds.ts";

/** Cancels the task; what then waits goes on as ever. */
const cancelIt: Script = async (task, engine, world) => {
  if (task.waiting_for.some(({ kind, name }) => kind === "signal" && name === "stop")) await engine.cancelTask(task.id);
  else await answer(task, engine, world);
};

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function begin(flow: Flow): Promise<{ world: World; id: string }> {
    const world = new World(worlds.store, FLOWS);
    const { task } = await world.engine().engine.createTask({ flow: flow.name, input: { n: 1 } });
    return { world, id: task.id };
  }

  async function undisturbed(flow: Flow, script: Script): Promise<{ rows: unknown; writes: number }> {
    const { world, id } = await begin(flow);
    await runToEnd(world, id, script);
    await world.end();
    return { rows: await rowsOf(world, id), writes: world.writes };
  }

  async function check(world: World, id: string, rows: unknown): Promise<void> {
    const record = await world.read(id);
    expect(record && breaches(record)).toEqual([]);
    expect(await rowsOf(world, id)).toEqual(rows);
    await world.end();
  }

  const cases = [
    ...CONSTRUCTS.map((flow) => [flow.name, flow, answer] as const),
    ...CANCELLED.map((flow) => [flow.name, flow, cancelIt] as const),
  ];

  describe.each(cases)("%s", (_flow, flow, script) => {
    test("leave the same rows when each transition has an engine of its own", async () => {
      const { rows } = await undisturbed(flow, script);
      const { world, id } = await begin(flow);
      await advanceToEnd(world, id, script);
      await check(world, id, rows);
    });

    test("leave the same rows when the engine dies before or after any write", async () => {
      const { rows, writes } = await undisturbed(flow, script);
      expect(writes).toBeGreaterThan(1);
      for (let write = 2; write <= writes; write++) {
        for (const side of ["before", "after"] as const) {
          const { world, id } = await begin(flow);
          world.listener = (moment) => (moment.write === write && moment.side === side ? "die" : undefined);
          await runToEnd(world, id, script);
          await check(world, id, rows);
        }
      }
    }, 120_000);
  });

  test.each(CONSTRUCTS.map((flow) => [flow.name, flow] as const))(
    "%s come to the same end when they are forked before any step, and leave the same rows after the last one",
    async (_flow, flow) => {
      const { world, id } = await begin(flow);
      const { status, steps, output_payload, error_message } = await runToEnd(world, id, answer);
      const rows = withoutOutside(await rowsOf(world, id));
      for (let from = 1; from <= steps.length + 1; from++) {
        const { task } = await world.engine().engine.forks.create(id, { from });
        expect(await runToEnd(world, task.id, answer)).toMatchObject({ status, output_payload, error_message });
        const record = await world.read(task.id);
        expect(record && breaches(record)).toEqual([]);
        if (from > steps.length) expect(withoutOutside(await rowsOf(world, task.id))).toEqual(rows);
      }
      await world.end();
    },
    120_000,
  );
});

/** Children that have ended, signals that came, and calls that nobody waited for any more are the other task's. */
function withoutOutside(rows: unknown): object {
  const { left: _left, children: _children, steps, calls, ...own } = rows as Rows;
  const ended = new Set(steps.flatMap(({ index, outcome }) => (outcome === null ? [] : [index])));
  return { ...own, steps, calls: calls.filter(({ step }) => ended.has(step)) };
}

interface Rows {
  readonly left: unknown;
  readonly children: unknown;
  readonly steps: readonly { readonly index: number; readonly outcome: number | null }[];
  readonly calls: readonly { readonly step: number }[];
}

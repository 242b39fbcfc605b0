// Tasks that wait for something of their flow are found by it, as each of them says it: their rows do not.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, waitForSignal } from "../../src/core/flow/operation.ts";
import type { LimitOptions } from "../../src/core/flow/own-limits.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue } from "../support/queue.ts";
import { until } from "../support/until.ts";
import { workerBench } from "./worker-bench.ts";

interface Of {
  readonly tenant: string;
}

describe.each(DATABASES)("waiting tasks on %s", (_name, create) => {
  const { working } = workerBench(create);
  const open = Promise.withResolvers<null>();

  const flowOf = (limits?: LimitOptions<Of>): Flow =>
    defineFlow({
      name: `flow_${crypto.randomUUID().replaceAll("-", "")}`,
      input: v.object({ tenant: v.string() }),
      signals: { go: v.unknown() },
      ...(limits && { limits }),
      *run() {
        yield* call(hold, null);
        yield* waitForSignal("go");
      },
    }) as Flow;
  const hold = defineTool({ name: "hold", input: v.null(), output: v.null(), run: () => open.promise });

  const found = async (engine: Engine, what: "limit" | "pause"): Promise<readonly string[]> =>
    (await engine.listTasks({ limit: 100, filter: { waitingFor: [what] } })).tasks.map(({ id }) => id).toSorted();

  test("for their turn under a limit of the flow, by key or as a whole, and for the end of a pause", async () => {
    const [byKey, whole, free] = [
      flowOf({ key: ({ tenant }) => tenant, runningPerKey: 1 }),
      flowOf({ running: 1 }),
      flowOf(),
    ];
    const flows = [byKey, whole, free];
    const { engine } = await working({ flows, concurrency: 10 });
    const add = (flow: Flow, tenant: string): Promise<string> => enqueue(engine, flow.name, { input: { tenant } });
    const isHeld = async (id: string): Promise<boolean> => (await engine.getTask(id)).lease_owner !== null;
    for (const first of [await add(byKey, "a"), await add(byKey, "b"), await add(whole, "a"), await add(free, "a")])
      await until(() => isHeld(first));
    const waiting = [await add(byKey, "a"), await add(byKey, "a"), await add(byKey, "b"), await add(whole, "b")];
    expect(await found(engine, "limit")).toEqual(waiting.toSorted());
    for (const id of waiting) expect((await engine.getTask(id)).waiting_for).toMatchObject([{ kind: "limit" }]);
    const filter = { waitingFor: ["limit"], flow: [byKey.name] } as const;
    expect(await engine.countTasks({ filter })).toMatchObject({ total: 3 });
    expect((await engine.bulk.preview({ action: "cancel", filter })).tasks).toBe(3);

    expect(await found(engine, "pause")).toEqual([]);
    await engine.pauses.pause({ scope: "flow", name: whole.name });
    expect(await found(engine, "pause")).toEqual(waiting.slice(3));
    await engine.pauses.unpause({ scope: "flow", name: whole.name });
    const { token } = await engine.bulk.preview({ action: "cancel", filter });
    const { task } = await engine.bulk.start({ action: "cancel", filter, token });
    expect((await ended(engine, task.id)).output_payload).toMatchObject({ done: 3 });
    expect(await found(engine, "limit")).toEqual(waiting.slice(3));
    open.resolve(null);
  }, 60_000);
});

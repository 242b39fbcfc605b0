// What tools tell of their progress: seen while they run, by anybody, and in nobody's way.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { ToolContext } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import type { Progress } from "../../src/core/record/progress.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { call, defineFlow, defineTool } from "../../src/sdk/taskonaut.ts";
import type { ProgressNote, Store } from "../../src/store/store.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { Gate } from "../support/tools.ts";
import { until } from "../support/until.ts";

/** Writes of progress: when each began, and what it wrote. */
class Notes {
  readonly all: ProgressNote[] = [];
  readonly times: number[] = [];
  answers = 0;
  hold: Promise<void> | undefined;
  readonly watch = (store: Store): Store => ({
    ...store,
    noteProgress: async (workerId, notes) => {
      this.times.push(performance.now());
      await this.hold;
      const written = await store.noteProgress(workerId, notes);
      this.all.push(...notes.filter(({ stepId }) => written.includes(stepId)));
      this.answers += 1;
      return written;
    },
  });
}

function flowOf(gate: Gate, name = "gated") {
  return defineFlow({
    name,
    input: v.unknown(),
    *run(input) {
      return yield* call(gate.tool, input);
    },
  });
}

async function progressOf(engine: Engine, id: string): Promise<Progress | null | undefined> {
  return (await engine.getTask(id)).tool_calls[0]?.progress;
}

describe.each(DATABASES)("progress on %s", (_name, create) => {
  const bench = benchOn(create);

  test.each<Execution>(["pure", "at-least-once", "at-most-once"])(
    "of a tool that is %s is seen by others while it runs, driven by hand and by a worker, and gone when it has ended",
    async (execution) => {
      for (const byWorker of [false, true]) {
        const gate = new Gate("long", { execution });
        const engine = await bench.openEngine({ flows: [flowOf(gate)] });
        const reader = await bench.openEngine();
        if (byWorker) await engine.startWorker({ concurrency: 2 });
        const { task } = await engine.createTask({ flow: "gated", input: 1, ...(byWorker && { start: "now" }) });
        const run = byWorker ? undefined : engine.runTask(task.id);
        await gate.called();
        const { progress } = gate.calls[0] as ToolContext; // out of its context
        progress({ done: 1, total: 4, message: "one" });
        await until(async () => (await progressOf(reader, task.id))?.done === 1);
        progress({ done: 2, total: 4 });
        progress({ done: 3, total: 4 });
        await until(async () => (await progressOf(reader, task.id))?.done === 3);
        expect(await progressOf(reader, task.id)).toEqual({ done: 3, total: 4 });
        gate.end(0, "done");
        await run;
        const ended = await reader.results.await(task.id, { waitMs: 30_000 });
        expect(ended).toMatchObject({ status: "COMPLETED", tool_calls: [{ status: "COMPLETED", progress: null }] });
        progress({ done: 4, total: 4 }); // nobody asks any more
        await engine.close();
      }
    },
  );

  test("is written at most once a second, for all tools together", async () => {
    const notes = new Notes();
    const gate = new Gate("many");
    const engine = await bench.openEngine({ flows: [flowOf(gate)], around: notes.watch });
    const tasks = await Promise.all([1, 2, 3].map((input) => engine.createTask({ flow: "gated", input })));
    const runs = tasks.map(({ task }) => engine.runTask(task.id));
    await gate.called(3);
    let done = 0;
    await until(() => {
      done += 1;
      for (const { progress } of gate.calls) progress({ done });
      return notes.times.length >= 3;
    });
    const [first = 0, second = 0, third = 0] = notes.times;
    expect(Math.min(second - first, third - second)).toBeGreaterThan(900);
    for (const place of [0, 1, 2]) gate.end(place, "done");
    await Promise.all(runs);
  });

  test("keeps no outcome waiting, and comes to nothing after one", async () => {
    const notes = new Notes();
    const held = Promise.withResolvers<void>();
    notes.hold = held.promise;
    const gate = new Gate("slow_write");
    const engine = await bench.openEngine({ flows: [flowOf(gate)], around: notes.watch });
    const { task } = await engine.createTask({ flow: "gated", input: 1 });
    const run = engine.runTask(task.id);
    await gate.called();
    gate.calls[0]?.progress({ done: 1 });
    await until(() => notes.times.length === 1);
    gate.end(0, "done");
    expect((await run).status).toBe("COMPLETED");
    held.resolve();
    await until(() => notes.answers === 1);
    expect(await progressOf(engine, task.id)).toBeNull();
    expect(notes.all).toEqual([]);
  });

  test("that is none is refused with a warning, once, and the tool goes on", async () => {
    const odd = defineTool({
      name: "odd",
      input: v.unknown(),
      output: v.unknown(),
      run: async (_, { progress }) => {
        progress({ done: Number.NaN });
        progress("half" as never);
        return "done";
      },
    });
    const flow = defineFlow({
      name: "odd_flow",
      input: v.unknown(),
      *run() {
        return yield* call(odd, null);
      },
    });
    const engine = await bench.openEngine({ flows: [flow] });
    const { task } = await engine.createTask({ flow: "odd_flow", input: null });
    expect(await engine.runTask(task.id)).toMatchObject({ status: "COMPLETED", output_payload: "done" });
  });

  test("of a tool whose process died stays until the tool runs again", async () => {
    const gate = new Gate("dies");
    const doomed = await bench.openDoomed({ flows: [flowOf(gate)], limits: { leaseMs: 1500 } });
    const { task } = await doomed.engine.createTask({ flow: "gated", input: 1 });
    doomed.engine.runTask(task.id).catch(() => {});
    await gate.called();
    gate.calls[0]?.progress({ done: 7, message: "before" });
    const reader = await bench.openEngine({ flows: [flowOf(gate)], limits: { leaseMs: 1500 } });
    await until(async () => (await progressOf(reader, task.id))?.done === 7);
    await doomed.die();
    const again = reader.runTask(task.id);
    await gate.called(2);
    expect((await progressOf(reader, task.id))?.message).toBe("before");
    gate.end(1, "done");
    expect(await again).toMatchObject({ status: "COMPLETED", tool_calls: [{ progress: null }] });
  });
});

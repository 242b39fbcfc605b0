// Before a task ends its flow is looked at again. What no guard stands in front of shows then: the task is parked with
// both sides, and nothing of its end is recorded.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { TaskonautError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { call, defineFlow, log, sleep, waitForSignal, type Operation } from "../../src/sdk/taskonaut.ts";
import { note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { rejection } from "../support/rejection.ts";
import { useWorlds } from "../support/worlds.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

const flowOf = (run: () => Body): Flow =>
  defineFlow({ name: "sample", input: v.unknown(), signals: { go: v.unknown() }, run: function* () { return yield* run(); } }); // prettier-ignore

/** Each counts how often its flow has run, with nothing in the way. */
const COUNTING: Readonly<Record<string, [() => () => Body, RegExp]>> = {
  "a variable of its module": [
    () => {
      let runs = 0;
      return function* () {
        runs += 1;
        yield* call(note, 1);
        return { runs };
      };
    },
    /it returns \{"runs":1\}, now it returns \{"runs":2\}\. Look for what it decides by/,
  ],
  "a Map that grows": [
    () => {
      const seen = new Map<number, number>();
      return function* () {
        seen.set(seen.size, 1);
        yield* call(work, 1);
        return [...seen.keys()];
      };
    },
    /it returns \[0\], now it returns \[0,1\]/,
  ],
  "a getter of what it returns": [
    () => {
      let reads = 0;
      return function* () {
        yield* call(note, 1);
        return Object.defineProperty({}, "reads", {
          enumerable: true,
          get: () => (++reads > 2 ? "later" : "first"),
        });
      };
    },
    /it returns \{"reads":"first"\}, now it returns \{"reads":"later"\}/,
  ],
  "a promise that it starts": [
    () =>
      function* () {
        let isDone = false;
        Promise.resolve().then(() => (isDone = true)).catch(() => {}); // prettier-ignore
        yield* call(work, 1);
        return isDone;
      },
    /it returns true, now it returns false/,
  ],
  "an expression that remembers": [
    () => {
      const every = /a/g;
      return function* () {
        yield* call(note, 1);
        if (!every.test("aa b")) throw new Error("not found");
        every.lastIndex += 1;
        return "found";
      };
    },
    /it returns "found", now it throws Error: not found at .*end-check\.test\.ts:\d+:\d+/,
  ],
  "what it throws": [
    () => {
      let runs = 0;
      return function* () {
        yield* call(note, 1);
        throw new Error(`run ${++runs}`);
      };
    },
    /it throws Error: run 1 at .*, now it throws Error: run 2 at /,
  ],
  "a step": [
    () => {
      let runs = 0;
      return function* () {
        yield* call(note, ++runs);
      };
    },
    /step 1 was recorded as tool note at \/0 with 1, now it decides tool note at \/0 with 2/,
  ],
  "one more step": [
    () => {
      let runs = 0;
      return function* () {
        yield* call(note, 1);
        if (runs++ > 0) yield* call(note, 2);
      };
    },
    /it plans step 2, tool note at \/1 with 2, which was never recorded/,
  ],
  "a wait that it gives up": [
    () => {
      let runs = 0;
      return function* () {
        yield* call(note, 1);
        if (runs++ > 0) yield* sleep("1h");
      };
    },
    /it plans step 2, sleep sleep/,
  ],
};

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  async function parkedAtItsEnd(
    flow: Flow,
  ): Promise<{ id: string; message: string; world: ReturnType<typeof worlds.open> }> {
    const world = worlds.open([flow]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    const error = await rejection(engine.runTask(id));
    expect(error instanceof TaskonautError && error.code).toBe("task_parked");
    return { id, message: error.message, world };
  }

  test.each(Object.entries(COUNTING))(
    "%s is noticed at the end, and nothing of it is recorded",
    async (_what, [make, told]) => {
      const { id, message, world } = await parkedAtItsEnd(flowOf(make()));
      expect(message).toContain("Flow sample is not deterministic. It has ended, and was run again from its record");
      expect(message).toMatch(told);
      const record = await world.read(id);
      expect(record?.task).toMatchObject({
        output_payload: null,
        error: null,
        finished_at: null,
        observed_count: 0,
        due_at: null,
      });
      expect(message).toEndWith(record?.task.parked_reason ?? "none");
      const mended = flowOf(function* () {
        yield* call(record?.steps[0]?.step_name === "note" ? note : work, 1);
        return "mended";
      });
      expect(await world.engine([mended]).engine.resumeTask(id)).toMatchObject({ parked_reason: null });
      expect(await world.engine([mended]).engine.runTask(id)).toMatchObject({
        status: "COMPLETED",
        output_payload: "mended",
      });
    },
  );

  test("a worker parks it as well, and drives on what is beside it", async () => {
    const world = worlds.open([
      flowOf(COUNTING["a variable of its module"]?.[0]() ?? inOrder),
      defineFlow({ name: "other", input: v.unknown(), run: inOrder }),
    ]);
    const { engine } = world.engine();
    const ids: string[] = [];
    for (const flow of ["sample", "other"])
      ids.push((await engine.createTask({ flow, input: null, start: "now" })).task.id);
    const worker = await engine.startWorker({ concurrency: 2 });
    for (const id of ids) {
      for (;;) {
        const { status, parked_reason } = await engine.getTask(id);
        if (status === "COMPLETED" || parked_reason !== null) break;
        await new Promise(setImmediate);
      }
    }
    await worker.stop();
    const [counting, other] = await Promise.all(ids.map((id) => engine.getTask(id)));
    expect(counting?.parked_reason).toMatch(/it returns \{"runs":1\}, now it returns \{"runs":2\}/);
    expect(other?.status).toBe("COMPLETED");
  });

  test("of a driver whose record is out of date it counts for nothing: the task is read again", async () => {
    let isBad = false;
    let runs = 0;
    const flow = flowOf(function* () {
      yield* call(note, 1);
      return isBad ? ++runs : "done";
    });
    const world = worlds.open([flow]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    await engine.advanceTask(id);
    expect((await world.engine().engine.runTask(id)).output_payload).toBe("done");
    isBad = true;
    expect((await engine.runTask(id)).output_payload).toBe("done");
  });

  test("where an error was made is not compared: a stack that is full ends in one place or another", async () => {
    let runs = 0;
    const world = worlds.open([
      flowOf(function* () {
        yield* call(note, 1);
        if (++runs > 1) throw new Error("the same");
        throw new Error("the same");
      }),
    ]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    expect(await engine.runTask(id)).toMatchObject({ status: "FAILED", error_message: "the same" });
  });

  test("a plan that was made in this process is made again", async () => {
    let runs = 0;
    const { message } = await parkedAtItsEnd(
      defineFlow({ name: "sample", input: v.unknown(), plan: () => [call(note, ++runs)] }),
    );
    expect(message).toMatch(/step 1 was recorded as tool note at \/0 with 1, now it decides tool note at \/0 with 2/);
  });

  test("what a cancelled flow decides is compared, what it gives is not", async () => {
    let runs = 0;
    const flow = (isBad: boolean): Flow =>
      flowOf(function* () {
        try {
          yield* waitForSignal("go");
        } finally {
          runs += 1;
          yield* call(note, isBad ? runs : 1);
        }
        return runs;
      });
    for (const isBad of [false, true]) {
      runs = 0;
      const world = worlds.open([flow(isBad)]);
      const { engine } = world.engine();
      const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
      await engine.runTask(id);
      const cancelled = engine.cancelTask(id);
      if (isBad)
        expect((await rejection(cancelled)).message).toMatch(
          /tool note at \S+ with 1, now it decides tool note at \S+ with 2/,
        );
      else expect((await cancelled).status).toBe("CANCELLED");
    }
  });

  test("a flow that is deterministic is not told again what it logs", async () => {
    const world = worlds.open([
      flowOf(function* () {
        log("begun");
        return yield* inOrder();
      }),
    ]);
    const { engine } = world.engine();
    const { id } = (await engine.createTask({ flow: "sample", input: null })).task;
    expect((await engine.runTask(id)).status).toBe("COMPLETED");
    expect(world.lines.filter((line) => line === "begun")).toHaveLength(1);
  });
});

function* inOrder(): Body {
  return [yield* call(note, 1), yield* call(work, 2)];
}

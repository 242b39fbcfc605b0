// A flow that computes without an end is cut short, and its task parked with the place where it does so. Nothing else in
// the process is any the worse for it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, when } from "../support/queue.ts";
import { rejection } from "../support/rejection.ts";
import { giveBack } from "../support/tools.ts";

const BOUND = { flowStuckMs: 100 };
const HERE = import.meta.path;

const state = { isMended: false };

function spin(): void {
  while (!state.isMended) Math.sqrt(2);
}

/** Where `spin` is, from 1. */
const SPIN_LINES = await (async () => {
  const lines = (await Bun.file(HERE).text()).split("\n");
  const first = lines.findIndex((line) => line.startsWith("function spin")) + 1;
  return [first, first + 1];
})();

const tool = giveBack("before_it");

/** Only flows of files are bound. */
const ofFile = (flow: Flow): Flow => ({ ...flow, file: HERE });

const input = v.unknown();
const FLOWS = {
  at_once: defineFlow({
    name: "at_once",
    input,
    // oxlint-disable-next-line require-yield
    *run() {
      spin();
      return "well";
    },
  }),
  after_a_step: defineFlow({
    name: "after_a_step",
    input,
    *run() {
      yield* call(tool, 1);
      spin();
      return "well";
    },
  }),
  past_every_catch: defineFlow({
    name: "past_every_catch",
    input,
    *run() {
      try {
        yield* all({ one: call(tool, 1) });
        spin();
      } catch {
        spin();
      } finally {
        spin();
      }
      return "well";
    },
  }),
};

function expectPlace(text: string | null): void {
  const [, file, line] = /It was at (.*):(\d+) \(spin\)/.exec(text ?? "") ?? [];
  expect(file).toBe(HERE);
  expect(SPIN_LINES).toContain(Number(line));
}

describe.each(DATABASES)("a flow that computes without an end on %s", (_name, create) => {
  const bench = benchOn(create);

  test.each(Object.values(FLOWS))("is cut short ($name): its task is parked, others complete", async (flow) => {
    state.isMended = false;
    const engine = await bench.openEngine({ flows: [ofFile(flow)], limits: BOUND });
    const stuck = await enqueue(engine, flow.name);
    const others = await Promise.all([1, 2, 3].map(() => enqueue(engine, "echo_add")));
    await engine.startWorker({ concurrency: 10 });
    const parked = await when(engine, stuck, ({ parked_reason }) => parked_reason !== null);
    expect(parked.parked_reason).toStartWith(`Flow ${flow.name} computed for 0.1 s without a pause`);
    expectPlace(parked.parked_reason);
    for (const id of others) expect((await ended(engine, id)).status).toBe("COMPLETED");

    state.isMended = true;
    await engine.resumeTask(stuck);
    expect(await ended(engine, stuck)).toMatchObject({ status: "COMPLETED", output_payload: "well" });
  });
});

describe("a task is not created", () => {
  const bench = benchOn((DATABASES[0] as (typeof DATABASES)[number])[1]);

  test.each([
    defineFlow({
      name: "endless_plan",
      input,
      plan: () => {
        spin();
        return [];
      },
    }),
    defineFlow({
      name: "endless_contract",
      input: v.pipe(
        v.unknown(),
        v.check(() => {
          spin();
          return true;
        }),
      ),
      plan: () => [],
    }),
  ])("by an $name", async (flow) => {
    state.isMended = false;
    const engine = await bench.openEngine({ flows: [ofFile(flow)], limits: BOUND });
    const error = await rejection(engine.createTask({ flow: flow.name, input: {} }));
    expect(error).toMatchObject({ code: "flow_invalid" });
    expectPlace(error.message);
    state.isMended = true;
    expect((await engine.createTask({ flow: flow.name, input: {} })).created).toBe(true);
  });
});

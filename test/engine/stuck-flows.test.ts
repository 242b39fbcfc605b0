// A flow that computes without an end is cut short, and its task parked with the place where it does so. Nothing else in
// the process is any the worse for it.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { setActivity } from "../../src/core/flow/activity.ts";
import { all, call, type Operation, runChild } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { benchOn } from "../support/bench.ts";
import { DATABASES } from "../support/databases.ts";
import { ended, enqueue, when } from "../support/queue.ts";
import { scheduleRow } from "../contract/rows.ts";
import { until } from "../support/until.ts";
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

describe.each(DATABASES)(
  "what is called for a task beside its flow, and computes without an end, on %s",
  (_name, create) => {
    const bench = benchOn(create);

    const slow = (): string => {
      spin();
      return "key";
    };
    const keyed = defineTool({
      name: "keyed",
      input,
      output: input,
      limits: { running: 1, key: slow },
      run: (given) => given,
    });
    const contract = v.pipe(
      input,
      v.check(() => slow() !== ""),
    );
    const KIDS = [
      defineFlow({ name: "kid_contract", input: contract, plan: () => [] }),
      defineFlow({ name: "kid_limit", input, limits: { running: 1, key: slow }, plan: () => [] }),
      defineFlow({ name: "kid_unique", input, unique: { key: slow }, plan: () => [] }),
      defineFlow({ name: "kid_tags", input, tags: () => ({ tag: slow() }), plan: () => [] }),
      defineFlow({ name: "kid_plan", input, plan: () => (slow() === "" ? [] : []) }),
    ].map(ofFile);
    const parentOf = (name: string, operation: () => Operation<unknown>): Flow =>
      ofFile(
        defineFlow({
          name,
          input,
          *run() {
            yield* operation();
            return "well";
          },
        }),
      );
    const FLOWS_OF = [
      parentOf("with_key", () => call(keyed, 1)),
      ...KIDS.map((kid) => parentOf(`with_${kid.name}`, () => runChild(kid, {}))),
    ];

    test.each(FLOWS_OF)("is noted with the task, which is parked and does not fail ($name)", async (flow) => {
      state.isMended = false;
      const engine = await bench.openEngine({ flows: [flow, ...KIDS], limits: BOUND });
      const id = await enqueue(engine, flow.name);
      const noted: string[] = [];
      setActivity({
        begin: (doing, doneFor) => {
          if ("stepId" in doneFor) noted.push(`${doing} of ${doneFor.taskId}`);
        },
        hearSignal: () => {},
        listen: () => {},
        end: () => {},
      });
      try {
        await engine.startWorker({ concurrency: 10 });
        const { parked_reason, status } = await when(engine, id, (task) => task.parked_reason !== null);
        expect(status).toBe("RUNNING");
        expect(parked_reason).toContain("computed for 0.1 s without a pause");
        expect(noted).toContain(`flow of ${id}`);

        state.isMended = true;
        await engine.resumeTask(id);
        expect(await ended(engine, id)).toMatchObject({ status: "COMPLETED", output_payload: "well" });
      } finally {
        setActivity(undefined);
      }
    });
  },
);

describe.each(DATABASES)("a schedule whose flow computes without an end on %s", (_name, create) => {
  const bench = benchOn(create);
  const slow = (): string => {
    spin();
    return "key";
  };
  const contract = v.pipe(
    input,
    v.check(() => slow() !== ""),
  );
  const FLOWS_OF = [
    defineFlow({ name: "fires_contract", input: contract, plan: () => [] }),
    defineFlow({ name: "fires_limit", input, limits: { running: 1, key: slow }, plan: () => [] }),
    defineFlow({ name: "fires_unique", input, unique: { key: slow }, plan: () => [] }),
    defineFlow({ name: "fires_tags", input, tags: () => ({ tag: slow() }), plan: () => [] }),
    defineFlow({ name: "fires_plan", input, plan: () => (slow() === "" ? [] : []) }),
  ].map(ofFile);

  test.each(FLOWS_OF)("is noted, paused with the place, and fires again when it is resumed ($name)", async (flow) => {
    state.isMended = false;
    const store = await bench.openStore();
    const at = (await store.now()) - 1000;
    const beside = scheduleRow({ name: `beside_${flow.name}`, nominal_at: at, next_at: at, every_ms: 3_600_000 });
    const row = { ...beside, name: `of_${flow.name}`, flow_name: flow.name };
    for (const each of [row, beside]) expect(await store.schedules.insert(each)).toBe(true);
    const noted: unknown[] = [];
    setActivity({
      begin: (_doing, doneFor) => noted.push(doneFor),
      hearSignal: () => {},
      listen: () => {},
      end: () => {},
    });
    try {
      const engine = await bench.openEngine({ flows: [flow], limits: BOUND });
      await engine.startWorker({ concurrency: 10 });
      await until(async () => (await store.schedules.read(row.name))?.paused_at !== null);
      const { pause_reason, fired_count } = await engine.schedules.get(row.name);
      expect(fired_count).toBe(0);
      expect(pause_reason).toContain("computed for 0.1 s without a pause");
      const [, file, line] = /at (\/.*?):(\d+) \(spin\)/.exec(pause_reason ?? "") ?? [];
      expect({ file, isThere: SPIN_LINES.includes(Number(line)) }).toEqual({ file: HERE, isThere: true });
      expect(noted).toContainEqual({ schedule: row.name, at: flow.at });
      await until(async () => (await store.schedules.read(beside.name))?.fired_count === 1);

      state.isMended = true;
      await engine.schedules.resume(row.name);
      expect((await engine.schedules.get(row.name)).paused_at).toBeNull();
      expect((await engine.schedules.trigger(row.name, {})).flow_name).toBe(flow.name);
    } finally {
      setActivity(undefined);
    }
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

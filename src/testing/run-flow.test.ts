import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  call,
  type defineFlow,
  defineSignal,
  type defineTool,
  log,
  now,
  runChild,
  sleep,
  uuid,
  waitForSignal,
} from "../sdk/taskonaut.ts";
import { createTesting } from "./create-testing.ts";

const HOUR = 3_600_000;

const { testing, sdk } = createTesting({});
const { runFlow } = testing;

const define = sdk as unknown as { readonly defineTool: typeof defineTool; readonly defineFlow: typeof defineFlow };
const quote = define.defineTool({
  name: "quote",
  input: v.object({}),
  output: v.object({ cents: v.number() }),
  retry: { attempts: 3, base: "10s" },
  timeout: "1m",
  run: () => Promise.reject(new Error("there is no market in a test")),
});
const approved = defineSignal("approved", v.object({ by: v.string() }));
const order = define.defineFlow({
  name: "order",
  input: v.object({}),
  signals: [approved],
  *run() {
    yield* sleep("2h");
    const { cents } = yield* call(quote, {});
    const { by } = yield* waitForSignal(approved);
    return { cents, by };
  },
});
const tools = { quote: () => ({ cents: 5 }) };
const payload = { by: "Ada" };

test("a signal that follows a step comes so long after its outcome", async () => {
  const run = await runFlow(order, {}, { tools, signals: [{ name: "approved", payload, after: "quote", at: "1h" }] });
  expect(run.output).toEqual({ cents: 5, by: "Ada" });
  expect(run.duration).toBe(3 * HOUR);
});

test("a cancel that follows a step that never comes does not happen", async () => {
  const signals = [{ name: "approved", payload, at: 3 * HOUR }];
  const run = await runFlow(order, {}, { tools, signals, cancel: { after: "refund" } });
  expect(run.status).toBe("COMPLETED");
  const cancelled = await runFlow(order, {}, { tools, cancel: { after: "quote" } });
  expect(cancelled).toMatchObject({ status: "CANCELLED", duration: 2 * HOUR });
});

test("a signal that its flow does not take, or that breaks its contract, is an error of the run and of nothing else", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    // while something else happens at the same time
    const cancel = { at: HOUR };
    await expect(runFlow(order, {}, { tools, cancel, signals: [{ name: "aproved", at: "1h" }] })).rejects.toThrow(
      'Flow order takes no signal "aproved"; did you mean approved?',
    );
    await expect(runFlow(order, {}, { tools, signals: [{ name: "approved", payload: 3 }] })).rejects.toThrow(
      "The payload breaks the contract of signal approved of flow order",
    );
    await Bun.sleep(0);
  } finally {
    process.off("unhandledRejection", note);
  }
  expect(unhandled).toEqual([]);
});

test("a signal reaches every open child of its flow, and none is an error", async () => {
  const child = define.defineFlow({
    name: "child",
    input: v.object({}),
    signals: [approved],
    *run() {
      return yield* waitForSignal(approved);
    },
  });
  const parent = define.defineFlow({
    name: "parent",
    input: v.object({}),
    *run() {
      return yield* runChild(child, {});
    },
  });
  const run = await runFlow(parent, {}, { signals: [{ name: "approved", flow: "child", payload, at: "1h" }] });
  expect(run).toMatchObject({ status: "COMPLETED", duration: HOUR, output: payload, children: [{ flow: "child" }] });
  await expect(runFlow(parent, {}, { signals: [{ name: "approved", flow: "chil", payload }] })).rejects.toThrow(
    "no task of flow chil is open by then",
  );
});

test("a flow that is not deterministic is an error that tells so", async () => {
  let runs = 0;
  const odd = define.defineFlow({
    name: "odd",
    input: v.object({}),
    *run() {
      runs += 1;
      yield* sleep(`${runs}h`);
    },
  });
  await expect(runFlow(odd, {})).rejects.toThrow("Flow odd is not deterministic.");
});

test("time stands still while a tool works whose promise is of another kind", async () => {
  let calls = 0;
  const query = {
    // oxlint-disable-next-line unicorn/no-thenable -- as query builders are
    then: (give: (value: unknown) => void) => {
      calls += 1;
      setTimeout(() => give({ cents: 5 }), 50);
    },
  };
  const signals = [{ name: "approved", payload, after: "quote" }];
  const run = await runFlow(order, {}, { tools: { quote: () => query }, signals });
  expect(run.output).toEqual({ cents: 5, by: "Ada" });
  expect(run.duration).toBe(2 * HOUR);
  expect(calls).toBe(1);
});

test("an option that nobody reads, or of another kind, is an error before anything runs", async () => {
  const run = (options: unknown): Promise<unknown> => runFlow(order, {}, options as never);
  await expect(run({ tool: tools })).rejects.toThrow("runFlow: tool is not an option of runFlow; did you mean tools?");
  await expect(run({ signals: [{ name: "approved", data: payload }], cancel: { when: "1h" } })).rejects.toThrow(
    "runFlow: 2 things are wrong: data is not an option of a signal; did you mean payload?; when is not an option of cancel; its options are at, after, force.",
  );
  await expect(run({ signals: "approved" })).rejects.toThrow(
    'runFlow: signals must be a list: [{ name: "approved" }], got "approved".',
  );
  await expect(run(null)).rejects.toThrow("runFlow: its options must be an object, got null.");
});

test("attempts of a fake have one key, and wait in simulated time", async () => {
  const busy = testing.fake(quote, (_, { attempt }) => {
    if (attempt < 3) throw new Error("busy");
    return { cents: attempt };
  });
  const run = await runFlow(order, {}, { tools: [busy], signals: [{ name: "approved", payload }] });
  expect(run.output).toEqual({ cents: 3, by: "Ada" });
  expect(run.effects.map(({ tool, attempt }) => [tool, attempt])).toEqual([1, 2, 3].map((each) => ["quote", each]));
  expect(new Set(run.effects.map(({ key }) => key)).size).toBe(1);
  expect(run.duration).toBeGreaterThan(2 * HOUR);
});

test("a fake that breaks its tool's contract, or sleeps past its timeout, fails the flow", async () => {
  const wrong = await runFlow(order, {}, { tools: { quote: () => ({ cents: "x" }) } });
  expect(wrong).toMatchObject({ status: "FAILED", error: { name: "ContractError" } });
  let slept = 0;
  const slow = testing.fake(quote, async (_, { sleep: sleepAwhile }) => {
    await sleepAwhile("2m").catch((error: unknown) => {
      slept += 1;
      throw error;
    });
    return { cents: 1 };
  });
  const late = await runFlow(order, {}, { tools: [slow] });
  expect(late).toMatchObject({ status: "FAILED", error: { name: "ToolTimeoutError" } });
  expect(slept).toBe(late.effects.length);
});

test("a run stops at `until`, and tells what it waits for", async () => {
  const run = await runFlow(order, {}, { until: "90m" });
  expect(run).toMatchObject({ status: "WAITING_OBSERVATION", duration: 1.5 * HOUR, effects: [], output: undefined });
  expect(run.waitingFor).toEqual([{ kind: "time", name: null, until: 2 * HOUR }]);
});

test("the same seed and start give the same run, and others another", async () => {
  const drawn = define.defineFlow({
    name: "drawn",
    input: v.object({}),
    *run() {
      log("drawn");
      yield* sleep("1h");
      return { id: uuid(), time: now().getTime() };
    },
  });
  const first = await runFlow(drawn, {});
  expect(first.output?.time).toBe(Date.parse("2026-01-01T01:00:00Z"));
  expect(first.logs).toMatchObject([{ level: "info", message: "drawn" }]);
  expect(await runFlow(drawn, {})).toEqual(first);
  const other = await runFlow(drawn, {}, { seed: 2, startsAt: "2030-01-01T00:00:00Z" });
  expect(other.output?.id).not.toBe(first.output?.id);
  expect(other.output?.time).toBe(Date.parse("2030-01-01T01:00:00Z"));
});

test("what tools log says whose it is, and what they tell of their progress is kept, of fakes too", async () => {
  const count = define.defineTool({
    name: "count",
    input: v.number(),
    output: v.number(),
    async run(to, { log: tell, progress }) {
      tell.info?.("counting", { to });
      progress({ done: 1, total: to });
      progress({ done: "all" as never });
      return to;
    },
  });
  const counting = define.defineFlow({
    name: "counting",
    input: v.object({}),
    *run() {
      return (yield* call(count, 3)) + (yield* call(count, 4, { as: "again" }));
    },
  });
  const run = await runFlow(counting, {});
  expect(run.output).toBe(7);
  const whose = { task_id: run.id, flow: "counting", step: "count", attempt: 1 };
  expect(run.logs.slice(0, 2)).toMatchObject([
    { level: "info", message: "counting", fields: { ...whose, to: 3 } },
    { level: "warn", message: "tool progress refused", fields: { ...whose, tool: "count" } },
  ]);
  const [first, again] = run.effects;
  expect(run.progress).toEqual([
    { tool: "count", key: first?.key ?? "", attempt: 1, done: 1, total: 3 },
    { tool: "count", key: again?.key ?? "", attempt: 1, done: 1, total: 4 },
  ]);
  const faked = await runFlow(
    counting,
    {},
    {
      tools: {
        count: async (to: number, ctx) => {
          ctx.progress({ message: "fake" });
          await ctx.sleep("5s");
          return to;
        },
      },
    },
  );
  expect([faked.progress.map(({ message }) => message), faked.duration]).toEqual([["fake", "fake"], 10_000]);
});

// What the compiler makes of flow files: this file must compile, and each line under `@ts-expect-error` must not.

import * as v from "valibot";
import {
  all,
  call,
  defineFlow,
  defineSignal,
  defineTool,
  map,
  now,
  race,
  random,
  runChild,
  sleep,
  uuid,
  waitForSignal,
  type Flow,
  type Operation,
  type Tool,
} from "../../src/sdk/taskonaut.ts";

/* oxlint-disable typescript/no-unnecessary-type-parameters -- a type parameter is how a type is compared and claimed */

/** Exactly the same type, in both directions; `unknown` and `any` are no match for anything else. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Claim extends true>(): void {}

const price = defineTool({
  name: "price",
  input: v.object({ sku: v.string(), quantity: v.optional(v.number(), 1) }),
  output: v.object({ cents: v.number() }),
  timeout: "5s",
  retry: { attempts: 5, base: "250ms", max: 2000 },
  run({ sku, quantity }, { signal, attempt, idempotencyKey }) {
    is<Same<typeof sku, string>>();
    is<Same<typeof quantity, number>>();
    is<Same<typeof signal, AbortSignal>>();
    is<Same<typeof attempt, number>>();
    is<Same<typeof idempotencyKey, string>>();
    return { cents: quantity * 100 };
  },
});
is<
  typeof price extends Tool<
    { sku: string; quantity?: number | undefined },
    { sku: string; quantity: number },
    { cents: number }
  >
    ? true
    : false
>();

const shout = defineTool({
  name: "shout",
  input: v.string(),
  output: v.pipe(
    v.string(),
    v.transform((text) => text.length),
  ),
  run: async (text) => text.toUpperCase(),
});

defineTool({
  name: "wrong_output",
  input: v.string(),
  output: v.number(),
  // @ts-expect-error what a tool gives is what its output contract takes
  run: (text) => text,
});

defineTool({
  name: "wrong_timeout",
  input: v.string(),
  output: v.string(),
  // @ts-expect-error a duration has a unit
  timeout: "5 seconds",
  run: (text) => text,
});

const measure = defineFlow({
  name: "measure",
  input: v.object({ text: v.string(), times: v.optional(v.number(), 1) }),
  *run({ text, times }) {
    is<Same<typeof text, string>>();
    is<Same<typeof times, number>>();
    const length = yield* call(shout, text);
    is<Same<typeof length, number>>();
    return { length, times };
  },
});
is<
  typeof measure extends Flow<{ text: string; times?: number | undefined }, { length: number; times: number }>
    ? true
    : false
>();

function* branch(sku: string): Generator<Operation<unknown>, string, unknown> {
  const { cents } = yield* call(price, { sku });
  return `${sku}: ${cents}`;
}

const approved = defineSignal("approved", v.object({ by: v.string() }));
const go = defineSignal("go");

// a helper that says no more than that it yields operations may wait for any signal
function* helper(): Generator<Operation<unknown>, unknown> {
  return yield* waitForSignal("some");
}
export const helped = defineFlow({
  name: "helped",
  input: v.string(),
  signals: { some: v.number() },
  *run(text) {
    is<Same<typeof text, string>>();
    return yield* helper();
  },
});

export const flow = defineFlow({
  name: "order",
  input: v.object({ sku: v.string() }),
  signals: [approved, go],
  *run({ sku }) {
    const { cents } = yield* call(price, { sku, quantity: 2 }, { as: "first" });
    is<Same<typeof cents, number>>();

    // @ts-expect-error a field is missing
    yield* call(price, {});
    // @ts-expect-error a field has another type
    yield* call(price, { sku: 1 });
    // @ts-expect-error the contract has no such field
    yield* call(price, { sku, colour: "red" });
    // @ts-expect-error a tool takes one input
    yield* call(shout);

    const parts = yield* all({
      price: call(price, { sku }),
      length: call(shout, sku),
      line: branch(sku),
      pause: sleep("1h"),
    });
    is<Same<typeof parts, { price: { cents: number }; length: number; line: string; pause: void }>>();
    // @ts-expect-error there is no such member
    const { colour } = parts;
    is<Same<typeof colour, unknown>>();

    const list = yield* all([call(price, { sku }), call(shout, sku), branch(sku)]);
    is<Same<typeof list, [{ cents: number }, number, string]>>();
    // @ts-expect-error a member is an operation or a generator
    yield* all([1, 2]);

    const first = yield* race([call(price, { sku }), call(shout, sku)]);
    is<Same<typeof first, { cents: number } | number>>();
    const named = yield* race({ a: call(shout, sku), b: branch(sku) });
    is<Same<typeof named, number | string>>();

    const lengths = yield* map(["a", "b"], (text, index) => call(shout, text.repeat(index)), { concurrency: 2 });
    is<Same<typeof lengths, number[]>>();
    const lines = yield* map([sku], branch);
    is<Same<typeof lines, string[]>>();
    // @ts-expect-error the function gives an operation or a generator
    yield* map([1], (n) => n);

    const child = yield* runChild(measure, { text: sku });
    is<Same<typeof child, { length: number; times: number }>>();
    // @ts-expect-error the child's input has another type
    yield* runChild(measure, { text: 1 });

    const approval = yield* waitForSignal<{ by: string }>("approved", { timeout: "2d" });
    is<Same<typeof approval, { by: string }>>();
    const anything = yield* waitForSignal("approved");
    is<Same<typeof anything, unknown>>();
    // @ts-expect-error a duration has a unit
    yield* waitForSignal("approved", { timeout: "soon" });
    const handled = yield* waitForSignal(approved, { timeout: "2d" });
    is<Same<typeof handled, { by: string }>>();
    const going = yield* race({ go: waitForSignal(go), late: sleep("1h") });
    is<Same<typeof going, null | void>>();
    const both = yield* map([approved, approved], (signal) => waitForSignal(signal));
    is<Same<typeof both, { by: string }[]>>();

    yield* sleep(1000);
    yield* sleep("1.5h");
    // @ts-expect-error a duration has a unit
    yield* sleep("an hour");

    const drawn = [now(), random(), uuid()] as const;
    is<Same<typeof drawn, readonly [Date, number, string]>>();
    return { cents };
  },
});
is<typeof flow extends Flow<{ sku: string }, { cents: number }> ? true : false>();

defineFlow({
  name: "planned",
  input: v.object({ sku: v.string() }),
  plan: ({ sku }) => [call(price, { sku }), call(shout, sku)],
});

defineFlow({
  name: "scheduled",
  input: v.object({ sku: v.string(), quantity: v.optional(v.number(), 1) }),
  schedules: [
    { name: "nightly", cron: "30 2 * * *", timeZone: "Europe/Berlin", input: { sku: "A1" }, overlap: "queue" },
    { name: "often", every: "15m", input: { sku: "A1", quantity: 2 }, catchUp: { within: "2h" } },
    // @ts-expect-error the input is the flow's
    { name: "wrong", every: "15m", input: { sku: 5 } },
    // @ts-expect-error there is no such rule
    { name: "odd", every: "15m", input: { sku: "A1" }, overlap: "wait" },
  ],
  *run() {},
});

// @ts-expect-error a flow has a plan or a run
defineFlow({ name: "neither", input: v.string() });

defineFlow({
  name: "asynchronous",
  input: v.string(),
  // @ts-expect-error a flow is synchronous
  async run(text) {
    await Promise.resolve(text);
  },
});

defineFlow({
  name: "yields_values",
  input: v.string(),
  // @ts-expect-error only operations are yielded
  *run(text) {
    yield text;
  },
});

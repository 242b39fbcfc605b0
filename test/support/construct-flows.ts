// A flow for each construct, with tools that always do the same. What a flow gives does not depend on how often it was
// recovered on the way.

import * as v from "valibot";
import type { Flow } from "../../src/core/flow/flow.ts";
import {
  all,
  call,
  defineFlow,
  defineTool,
  map,
  race,
  runChild,
  sleep,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

/** Gives back what it gets. A step apart, so that its neighbours come into one commit or not. */
export const note = defineTool({
  name: "note",
  input: v.unknown(),
  output: v.unknown(),
  execution: "pure",
  run: (value) => value ?? null,
});

/** An effect: the task is leased while it runs. */
export const work = defineTool({
  name: "work",
  input: v.unknown(),
  output: v.unknown(),
  run: (value) => value ?? null,
});

export const fail = defineTool({
  name: "fail",
  input: v.unknown(),
  output: v.unknown(),
  retry: { attempts: 1 },
  run: (value) => {
    throw new Error(`no ${JSON.stringify(value)}`);
  },
});

/** Ends only when nobody needs it any more. */
export const forever = defineTool({
  name: "forever",
  input: v.unknown(),
  output: v.unknown(),
  retry: { attempts: 1 },
  timeout: 10_000_000,
  run: (_value, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    }),
});

const from = v.looseObject({});
const flow = (name: string, run: (input: unknown) => Body): Flow =>
  defineFlow({ name, input: v.unknown(), signals: { go: from, stop: from }, run });

export const leaf = flow("leaf", function* (input) {
  const first = yield* call(work, input);
  return { leaf: first };
});

/** Waits for a signal of its own. */
export const patient = flow("patient", function* (input) {
  yield* call(work, input);
  return { patient: yield* waitForSignal("go") };
});

const unlucky = flow("unlucky", function* (input) {
  yield* call(fail, input);
});

export const held = flow("held", function* () {
  try {
    yield* waitForSignal("stop");
  } finally {
    yield* call(work, "put back");
  }
});

function* caught(body: () => Body): Body {
  try {
    return yield* body();
  } catch (error) {
    return `caught ${error instanceof Error ? error.message : String(error)}`;
  }
}

function* withCleanUp(value: string): Body {
  try {
    return yield* waitForSignal("stop");
  } finally {
    yield* call(work, value);
  }
}

function* inTurn(...values: readonly string[]): Body {
  const seen: unknown[] = [];
  for (const value of values) seen.push(yield* call(work, value));
  return seen;
}

/** By construct; each ends with the help of `answer` alone. */
export const CONSTRUCTS: readonly Flow[] = [
  flow("calls", function* (input) {
    const first = yield* call(work, input);
    const second = yield* call(note, { first });
    return yield* call(work, { second }, { as: "third" });
  }),
  flow("alls", function* () {
    const { a, b } = yield* all({ a: call(work, 1), b: call(note, 2) });
    const list = yield* all([call(work, 3), call(work, 4)]);
    return { a, b, list };
  }),
  flow("branches", function* () {
    return yield* all({ left: inTurn("l1", "l2"), right: inTurn("r1", "r2", "r3"), none: call(note, 0) });
  }),
  flow("races", function* () {
    const won = yield* race({ fast: call(work, "fast"), slow: call(forever, null) });
    const again = yield* race([call(forever, null), inTurn("x", "y"), sleep("1h")]);
    return { won, again, after: yield* call(work, "after") };
  }),
  flow("maps", function* () {
    return yield* map([1, 2, 3, 4, 5], (n) => call(n % 2 === 0 ? note : work, n), { concurrency: 2 });
  }),
  flow("sleeps", function* () {
    yield* sleep("1h");
    const first = yield* call(work, "slept");
    yield* all([sleep("2h"), sleep("1h"), call(work, "meanwhile")]);
    return first;
  }),
  flow("signals", function* () {
    const first = yield* waitForSignal("go");
    const late = yield* caught(function* () {
      return yield* waitForSignal("stop", { timeout: "1h" });
    });
    const both = yield* all({ a: waitForSignal("go"), b: waitForSignal("go"), c: call(work, "c") });
    return { first, late, both };
  }),
  flow("children", function* () {
    const first = yield* runChild(leaf, "one");
    const both = yield* all({ a: runChild(patient, "two"), b: runChild(leaf, "three"), c: call(work, "c") });
    const bad = yield* caught(function* () {
      return yield* runChild(unlucky, "four");
    });
    return { first, both, bad };
  }),
  flow("catches", function* () {
    const first = yield* caught(function* () {
      return yield* call(fail, 1);
    });
    const second = yield* caught(function* () {
      return yield* all({ a: call(work, "a"), b: call(fail, 2), c: sleep("1h") });
    });
    try {
      yield* call(fail, 3);
    } finally {
      yield* call(work, "clean up");
    }
    return { first, second };
  }),
];

/** Flows that a test cancels when they wait for `stop`. */
export const CANCELLED: readonly Flow[] = [
  flow("cancelled", function* () {
    try {
      yield* call(work, "reserve");
      yield* waitForSignal("stop");
    } catch {
      yield* call(work, "never");
    } finally {
      yield* call(work, "release");
      yield* call(note, "tell");
    }
  }),
  flow("cancelled_deep", function* () {
    try {
      yield* all({
        race: race([withCleanUp("inner"), sleep("100d")]),
        more: inTurn("m"),
      });
    } finally {
      yield* call(work, "outer");
    }
  }),
  flow("cancelled_parent", function* () {
    try {
      yield* all([runChild(held, null), waitForSignal("stop")]);
    } finally {
      yield* call(work, "after the child");
    }
  }),
];

export const FLOWS: readonly Flow[] = [...CONSTRUCTS, ...CANCELLED, leaf, patient, unlucky, held];

// A flow for each construct, with tools of every guarantee. What a task gives depends on nothing but its input.

import { all, call, defineFlow, map, race, runChild, sleep, waitForSignal, type Flow, type Operation } from "taskonaut";
import * as v from "valibot";
import { note, patient, pay, refuse, shaky, work } from "./tools.ts";

const Input = v.object({ n: v.number() });
type Input = v.InferOutput<typeof Input>;
type Body<Out = unknown> = Generator<Operation<unknown>, Out, unknown>;

const flow = <Out>(name: string, run: (input: Input) => Body<Out>): Flow<Input, Out> =>
  defineFlow({ name, input: Input, signals: { go: Input, never: Input }, run });

export const planned = defineFlow({
  name: "planned",
  input: Input,
  plan: ({ n }) => [
    call(note, `${n}`),
    call(work, `${n}`),
    call(pay, `${n}`),
    call(shaky, `${n}`),
    call(work, "last", { as: "last" }),
  ],
});

export const chained = flow("chained", function* ({ n }) {
  const first = yield* call(work, `${n}`);
  const second = yield* call(note, first);
  const third = yield* call(note, second);
  const fourth = yield* call(shaky, third);
  return yield* call(work, fourth);
});

export const paying = flow("paying", function* ({ n }) {
  const first = yield* call(pay, `${n}`);
  const both = yield* all({ again: call(pay, first), beside: call(work, first) });
  return yield* call(pay, `${both.again} and ${both.beside}`);
});

export const sleeping = flow("sleeping", function* ({ n }) {
  yield* sleep("300ms");
  const first = yield* call(work, `${n}`);
  yield* all([sleep("200ms"), call(work, first), sleep("700ms")]);
  return yield* call(note, first);
});

export const waiting = flow("waiting", function* ({ n }) {
  const first = yield* waitForSignal<Input>("go");
  const started = yield* call(work, `${first.n + n}`);
  let late = "in time";
  try {
    yield* waitForSignal("never", { timeout: "400ms" });
  } catch {
    late = yield* call(work, "too late");
  }
  const second = yield* waitForSignal<Input>("go", { timeout: "1h" });
  return { started, late, second };
});

/** Cancelled by an outsider; what it has reserved it gives back. */
export const holding = flow("holding", function* ({ n }) {
  try {
    yield* call(work, `${n}`);
    yield* waitForSignal("never");
  } finally {
    yield* call(work, "given back");
  }
});

export const retried = flow("retried", function* ({ n }) {
  const [first] = yield* all([call(patient, `${n}`), call(work, "beside")]);
  return yield* call(shaky, first);
});

export const compensated = flow("compensated", function* ({ n }) {
  const reserved = yield* call(work, `${n}`);
  let result: string;
  try {
    result = yield* call(refuse, reserved);
  } catch {
    result = yield* call(work, `undo ${reserved}`);
  } finally {
    yield* call(pay, "the fee");
  }
  return result;
});

export const failing = flow("failing", function* ({ n }) {
  try {
    yield* all({ good: call(work, `${n}`), bad: call(refuse, `${n}`) });
  } finally {
    yield* call(work, "clean up");
  }
});

function* inTurn(n: number, ...names: readonly string[]): Body<string> {
  let last = `${n}`;
  for (const name of names) last = yield* call(work, `${name} ${last}`);
  return last;
}

export const fanned = flow("fanned", function* ({ n }) {
  const branches = yield* all({ left: inTurn(n, "a", "b"), right: inTurn(n, "c", "d", "e"), none: call(note, "none") });
  const won = yield* race({ turns: inTurn(n, "x", "y"), hour: sleep("1h"), held: runChild(holding, { n }) });
  const mapped = yield* map([1, 2, 3, 4, 5], (item) => call(item % 2 === 0 ? note : work, `${item}`), {
    concurrency: 2,
  });
  return { branches, won, mapped };
});

export const family = flow("family", function* ({ n }) {
  const first = yield* runChild(chained, { n });
  const both = yield* all({
    paying: runChild(paying, { n }),
    sleeping: runChild(sleeping, { n }),
    own: inTurn(n, "own"),
  });
  let bad = "went well";
  try {
    yield* runChild(failing, { n });
  } catch {
    bad = yield* call(work, "child failed");
  }
  return { first, both, bad };
});

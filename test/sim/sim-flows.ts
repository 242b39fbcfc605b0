// The flows of the simulation: every construct, tools of every guarantee. What a flow gives depends on nothing but its
// tools' values, so whatever happens on the way, it must come out the same.
//
// Each execution of a tool gives a receipt that no other execution gives, and a call says which receipts it builds
// upon. So it shows where an effect ran ahead of an outcome that was not durable: by a receipt that is not recorded.
// A pure tool passes on the receipts that it was given: whether its own outcome is durable, nobody can tell.

import * as v from "valibot";
import { currentScope } from "../../src/core/flow/determinism.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { ToolContext } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import {
  all,
  annotate,
  call,
  defineFlow,
  defineTool,
  map,
  now,
  race,
  runChild,
  sleep,
  waitForSignal,
  type Operation,
} from "../../src/sdk/taskonaut.ts";

const Work = v.object({ value: v.string(), after: v.array(v.string()), at: v.optional(v.number()) });
const Done = v.object({ value: v.string(), receipt: v.string() });

export type SimWork = v.InferOutput<typeof Work>;
export type SimDone = v.InferOutput<typeof Done>;
export type SimToolName = "note" | "effect" | "patient" | "once" | "unlucky" | "scarce";

/** What a tool does, in the process that calls it. */
export type Act = (tool: SimToolName, work: SimWork, context: ToolContext) => SimDone | Promise<SimDone>;

export const ATTEMPTS = { note: 1, effect: 3, patient: 4, once: 1, unlucky: 2, scarce: 3 } as const satisfies Record<
  SimToolName,
  number
>;

export const GUARANTEES = {
  note: "pure",
  effect: "at-least-once",
  patient: "at-least-once",
  once: "at-most-once",
  unlucky: "at-least-once",
  scarce: "at-least-once",
} as const satisfies Record<SimToolName, Execution>;

/** At-most-once calls that take longer are in doubt. */
export const ONCE_TIMEOUT_MS = 3000;

type Body<Out = unknown> = Generator<Operation<unknown>, Out, unknown>;

/**
 * By name: what it gives is the same in every run in which nobody cancels it and no doubt is settled as a failure.
 * `mayDie`: called by the own code of a flow that takes its process with it now and then.
 */
export function simFlows(act: Act, mayDie: (taskId: string) => void = () => {}): readonly Flow[] {
  const contract = { input: Work, output: Done };
  const note = defineTool({
    name: "note",
    ...contract,
    execution: GUARANTEES.note,
    run: (work, context) => act("note", work, context),
  });
  const effect = defineTool({
    name: "effect",
    ...contract,
    retry: { attempts: ATTEMPTS.effect },
    run: (work, context) => act("effect", work, context),
  });
  const patient = defineTool({
    name: "patient",
    ...contract,
    retry: { attempts: ATTEMPTS.patient, base: "3s", max: "5s" },
    run: (work, context) => act("patient", work, context),
  });
  const once = defineTool({
    name: "once",
    ...contract,
    execution: GUARANTEES.once,
    timeout: ONCE_TIMEOUT_MS,
    run: (work, context) => act("once", work, context),
  });
  const unlucky = defineTool({
    name: "unlucky",
    ...contract,
    retry: { attempts: ATTEMPTS.unlucky },
    run: (work, context) => act("unlucky", work, context),
  });

  const scarce = defineTool({
    name: "scarce",
    ...contract,
    retry: { attempts: ATTEMPTS.scarce, base: "4s" },
    limits: { running: SCARCE_MAX, key: ({ value }) => value, runningPerKey: 1 },
    run: (work, context) => act("scarce", work, context),
  });

  const work = (value: string, ...after: readonly SimDone[]): SimWork => ({
    value,
    after: after.flatMap(({ receipt }) => receipt.split(" ").filter(Boolean)),
  });

  /** When the flow decided it: where that was not recorded, a replay decides otherwise. */
  const timed = (given: SimWork): SimWork => ({ ...given, at: now().getTime() });

  const flow = (name: string, run: () => Body, concurrency?: number): Flow =>
    defineFlow({
      name,
      input: v.unknown(),
      signals: { go: v.unknown(), stop: v.unknown() },
      run,
      ...(concurrency !== undefined && { concurrency }),
    });

  /** One open task of it at a time: whoever wants another one is given that. */
  const sole = defineFlow({
    name: "sole",
    input: v.unknown(),
    signals: { go: v.unknown(), stop: v.unknown() },
    unique: { key: () => "the one", onConflict: "join" },
    *run() {
      const first = yield* call(effect, work("first"));
      yield* sleep("500ms");
      const { a } = yield* all({ a: call(unlucky, work("a", first)) });
      return [first.value, a.value];
    },
  });

  function* inTurn(...values: readonly string[]): Body<SimDone> {
    let last = yield* call(effect, work("begin"));
    for (const value of values) last = yield* call(effect, work(value, last));
    return last;
  }

  function* caught(body: () => Body): Body {
    try {
      return yield* body();
    } catch {
      return "caught";
    }
  }

  const planned = defineFlow({
    name: "planned",
    input: v.unknown(),
    plan: () => [
      call(note, work("a"), { as: "a" }),
      call(effect, work("b"), { as: "b" }),
      call(once, work("c"), { as: "c" }),
      call(effect, work("d"), { as: "d" }),
    ],
  });

  const chained = flow("chained", function* () {
    const first = yield* call(effect, timed(work("first")));
    const second = yield* call(note, work("second", first));
    const third = yield* call(note, work("third", second), { as: "third" });
    const fourth = yield* call(patient, timed(work("fourth", third)));
    const fifth = yield* call(effect, timed(work("fifth", fourth)), { as: "fifth" });
    return [first, second, third, fourth, fifth].map(({ value }) => value);
  });

  const fanned = flow("fanned", function* () {
    const { left, right } = yield* all({ left: inTurn("l1", "l2"), right: inTurn("r1"), none: call(note, work("n")) });
    yield* race({ effect: call(effect, work("fast", left, right)), sleep: sleep("2s"), turns: inTurn("x", "y") });
    const mapped = yield* map(["1", "2", "3", "4"], (value) => call(value === "2" ? note : effect, work(value)), {
      concurrency: 2,
    });
    const last = yield* call(effect, work("last", ...mapped), { as: "last" });
    return [left, right, ...mapped, last].map(({ value }) => value);
  });

  const waiting = flow("waiting", function* () {
    yield* sleep("1500ms");
    const slept = yield* call(effect, work("slept"));
    yield* waitForSignal("go");
    yield* caught(function* () {
      yield* waitForSignal("stop", { timeout: "4s" });
    });
    yield* all([sleep("500ms"), waitForSignal("go"), call(effect, work("meanwhile", slept), { as: "meanwhile" })]);
    return slept.value;
  });

  const tidy = flow("tidy", function* () {
    let reserved: SimDone | undefined;
    try {
      reserved = yield* call(effect, work("reserve"));
      yield* race([waitForSignal("stop"), sleep("6s")]);
    } finally {
      yield* call(note, work("tell"));
      yield* call(effect, timed(work("release", ...(reserved ? [reserved] : []))), { as: "release" });
    }
    return reserved.value;
  });

  const outrun = flow("outrun", function* () {
    const first = yield* call(effect, work("first"));
    yield* race({
      tried: (function* () {
        try {
          yield* call(effect, work("try", first));
        } finally {
          yield* call(effect, timed(work("undo", first)), { as: "undo" });
        }
      })(),
      over: sleep("200ms"),
    });
    const last = yield* call(effect, work("last", first), { as: "last" });
    return [first.value, last.value];
  });

  const grave = flow("grave", function* () {
    const first = yield* call(once, work("first"));
    const { a, b } = yield* all({
      a: call(once, work("a", first), { as: "a" }),
      b: call(effect, work("b", first), { as: "b" }),
      c: sleep("1s"),
    });
    const last = yield* call(once, work("last", a, b), { as: "last" });
    return [first, a, b, last].map(({ value }) => value);
  });

  const capped = flow(
    "capped",
    function* () {
      const first = yield* call(effect, work("first"));
      yield* sleep("300ms");
      const second = yield* call(effect, work("second", first), { as: "second" });
      return [first.value, second.value];
    },
    CAPPED_MAX,
  );

  const keyed = defineFlow({
    name: "keyed",
    input: v.object({ tenant: v.number() }),
    limits: { ...KEYED, key: ({ tenant }) => tenant },
    signals: { go: v.unknown(), stop: v.unknown() },
    *run() {
      const first = yield* call(effect, work("first"));
      yield* annotate({ first: first.value });
      yield* sleep("200ms");
      const second = yield* call(effect, work("second", first), { as: "second" });
      return [first.value, second.value];
    },
  });

  const sharing = flow("sharing", function* () {
    const first = yield* call(scarce, work("a"));
    const both = yield* all({
      b: call(scarce, work("b", first), { as: "b" }),
      c: call(scarce, work("a", first), { as: "c" }),
      d: call(effect, work("d", first)),
    });
    yield* race({ tried: call(scarce, work("e", both.b), { as: "e" }), sleep: sleep("700ms") });
    const last = yield* call(scarce, work("b", both.c, both.d), { as: "last" });
    return [first.value, last.value];
  });

  const shaky = flow("shaky", function* () {
    const first = yield* call(effect, work("first"));
    // where it fails, nobody waits for the turns of the others
    const { a } = yield* all({
      a: call(unlucky, work("a", first)),
      b: sleep("1s"),
      c: all([call(scarce, work("a", first), { as: "c" }), call(scarce, work("a", first), { as: "d" })]),
    });
    return a.value;
  });

  const deadly = flow("deadly", function* () {
    const die = (): void => mayDie(currentScope()?.taskId ?? "");
    die();
    const first = yield* call(effect, work("first"));
    die();
    const { a, b } = yield* all({
      a: call(effect, work("a", first), { as: "a" }),
      b: (function* () {
        yield* sleep("300ms");
        die();
        return yield* call(patient, timed(work("b", first)), { as: "b" });
      })(),
    });
    const last = yield* call(effect, timed(work("last", a, b)), { as: "last" });
    die();
    return [first.value, a.value, b.value, last.value];
  });

  const family = flow("family", function* () {
    const first = yield* runChild(chained, now().getTime());
    const both = yield* all({ grave: runChild(grave, null), tidy: runChild(tidy, null), own: inTurn("own") });
    return [first, both.grave, both.tidy, both.own.value];
  });

  const ancestor = flow("ancestor", function* () {
    const won = yield* race([runChild(waiting, null), sleep("3s")]);
    const child = yield* runChild(family, won === undefined ? "slept" : "waited");
    return child;
  });

  return [
    planned,
    chained,
    fanned,
    waiting,
    tidy,
    outrun,
    grave,
    capped,
    keyed,
    sharing,
    shaky,
    sole,
    deadly,
    family,
    ancestor,
  ];
}

/** The limits of the flow `keyed`, whose keys are tenants. */
export const KEYED = { running: 3, runningPerKey: 1, rate: { count: 4, per: 4000 } } as const;

/** So many steps of the tool `scarce` at once. */
const SCARCE_MAX = 2;

/** So many tasks of the flow `capped` at once. */
export const CAPPED_MAX = 2;

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  type Body,
  done,
  errorOf,
  failed,
  flowOf,
  names,
  outputOf,
  pathsOf,
  programOf,
  step,
  TASK,
  work,
} from "../../../test/support/programs.ts";
import { StepError } from "../record/stored-error.ts";
import { createProgram } from "./create-program.ts";
import { violate } from "./determinism.ts";
import { defineFlow } from "./flow.ts";
import { all, call, race, waitForSignal, type Operation } from "./operation.ts";
import type { Program } from "./program.ts";
import { defineSignal, type Signal } from "./signal.ts";

const plan = (...members: Operation<unknown>[]): Program =>
  createProgram(defineFlow({ name: "planned", input: v.unknown(), plan: () => members }), TASK);

describe("a run flow", () => {
  test("plans one step per yield* and gives each its outcome", () => {
    const program = programOf(function* () {
      const first = yield* step("first");
      const second = yield* step("second");
      return { first, second };
    });
    expect(pathsOf(program.start())).toEqual(["/0"]);
    expect(pathsOf(program.observe("/0", done(1), 0))).toEqual(["/1"]);
    expect(program.end).toBeUndefined();
    expect(names(program.observe("/1", done([2]), 0))).toEqual([]);
    expect(outputOf(program)).toEqual({ first: 1, second: [2] });
  });

  test("throws a step's failure inside of the flow, which may catch it", () => {
    const program = programOf(function* () {
      try {
        yield* step("pay");
      } catch (error) {
        const message = error instanceof StepError ? `${error.step}: ${error.reason.message}` : "?";
        return yield* call(work, message, { as: "refund" });
      }
      return undefined;
    });
    program.start();
    const turn = program.observe("/0", failed("no money"), 0);
    expect(turn.planned.map(({ name, input }) => [name, input])).toEqual([["refund", '"pay: no money"']]);
  });

  test("that lets a failure through ends with it", () => {
    const program = programOf(function* () {
      yield* step("pay");
    });
    program.start();
    program.observe("/0", failed("no money"), 0);
    expect(errorOf(program)).toBe("pay: no money");
  });

  test("that throws before its first step ends with that error", () => {
    const program = programOf(function* () {
      yield* [];
      throw new TypeError("early");
    });
    program.start();
    expect(errorOf(program)).toBe("early");
  });

  test("may wait for a signal that it lists, and for no other of that name", () => {
    const run = (signal: Signal): Body =>
      function* () {
        return yield* waitForSignal(signal);
      };
    const [listed, other] = [defineSignal("go", v.string()), defineSignal("go", v.string())];
    const programWith = (signal: Signal): Program =>
      createProgram(defineFlow({ name: "sample", input: v.unknown(), signals: [listed], run: run(signal) }), TASK);
    expect(names(programWith(listed).start())).toEqual(["go"]);
    const program = programWith(other);
    program.start();
    expect(errorOf(program)).toContain("waits for a signal go that has another contract than the one in its signals");
  });

  test("hears of an input that JSON cannot carry where it made the call", () => {
    const program = programOf(function* () {
      try {
        yield* call(work, { at: new Date(0), n: [1n] });
      } catch (error) {
        return String(error);
      }
      return undefined;
    });
    expect(program.start().planned).toEqual([]);
    expect(outputOf(program)).toContain("at: JSON cannot carry a Date; n.0: JSON cannot carry a value of type bigint");
  });

  test("fails with a contract error when its output is none that JSON carries", () => {
    const program = programOf(function* () {
      yield* [];
      return { at: Number.NaN };
    });
    program.start();
    expect(errorOf(program)).toContain("at: JSON has no NaN");
  });

  test("that is no generator function is refused with what to write instead", () => {
    for (const plain of [() => 5, () => step("one")[Symbol.iterator]()])
      expect(() => flowOf(plain as unknown as Body)).toThrow("run must be a generator function");
  });

  test("that yields something else is told so", () => {
    const program = programOf(function* () {
      yield Promise.resolve(1) as unknown as Operation<unknown>;
    });
    program.start();
    expect(errorOf(program)).toContain("not an operation");
  });
});

describe("getters of what a flow hands over are the flow's own code", () => {
  const clock = {
    get at(): number {
      return violate("a clock", "Do not.");
    },
  };

  test.each<[string, Body]>([
    [
      "an input",
      function* () {
        return yield* call(work, clock);
      },
    ],
    [
      "an output",
      // oxlint-disable-next-line eslint/require-yield
      function* () {
        return clock;
      },
    ],
    [
      "an error",
      // oxlint-disable-next-line eslint/require-yield
      function* () {
        throw Object.defineProperty(new Error("x"), "message", { get: () => clock.at });
      },
    ],
  ])("of %s", (_what, run) => {
    const program = programOf(run);
    program.start();
    expect(program.violation?.message).toContain("a clock");
  });

  test("of a plan's input", () => {
    const program = createProgram(
      defineFlow({ name: "planned", input: v.unknown(), plan: () => [call(work, clock)] }),
      TASK,
    );
    expect(() => program.start()).toThrow("a clock");
    expect(program.violation).toBeDefined();
  });
});

test.each([async () => {}, async function* () {}])(
  "an async function is no flow, and told so when it is defined",
  (run) => {
    expect(() => flowOf(run as unknown as Body)).toThrow("an async function cannot be replayed");
  },
);

describe("all", () => {
  test("plans every member at once and gives the outcomes in the shape it was given, whatever their order", () => {
    const program = programOf(function* () {
      const named = yield* all({ bill: step("bill"), ship: step("ship") });
      const listed = yield* all([step("x"), step("y")]);
      return { named, listed };
    });
    expect(pathsOf(program.start())).toEqual(["/0.bill", "/0.ship"]);
    expect(program.observe("/0.ship", done("s"), 0).planned).toEqual([]);
    expect(pathsOf(program.observe("/0.bill", done("b"), 0))).toEqual(["/1.0", "/1.1"]);
    program.observe("/1.1", done(2), 0);
    program.observe("/1.0", done(1), 0);
    expect(outputOf(program)).toEqual({ named: { bill: "b", ship: "s" }, listed: [1, 2] });
  });

  test("lets the others end and then throws the failure that came first", () => {
    const program = programOf(function* () {
      try {
        yield* all([step("a"), step("b"), branch(["c", "d"])]);
      } catch (error) {
        return String(error);
      }
      return undefined;
    });
    program.start();
    program.observe("/0.1", failed("first"), 0);
    program.observe("/0.0", failed("second"), 0);
    expect(program.end).toBeUndefined();
    expect(names(program.observe("/0.2/0", done(0), 0))).toEqual(["d"]);
    program.observe("/0.2/1", done(0), 0);
    expect(outputOf(program)).toBe("StepError: b: first");
  });

  test("of nothing goes on at once, a million times without growing the stack", () => {
    const program = programOf(function* () {
      for (let i = 0; i < 1_000_000; i++) yield* all([]);
      return yield* all({});
    });
    program.start();
    expect(outputOf(program)).toEqual({});
  });
});

describe("race", () => {
  test("gives the first outcome and gives the others up", () => {
    const program = programOf(function* () {
      return yield* race([step("slow"), step("fast"), branch(["deep"])]);
    });
    program.start();
    const turn = program.observe("/0.1", done("won"), 0);
    expect(turn.abandoned.toSorted()).toEqual(["/0.0", "/0.2/0"]);
    expect(outputOf(program)).toBe("won");
  });

  test("ignores an outcome that was recorded for a step it has given up", () => {
    const program = programOf(function* () {
      return yield* race([step("a"), step("b")]);
    });
    program.start();
    program.observe("/0.0", done("a"), 0);
    expect(program.observe("/0.1", done("b"), 0)).toEqual({ planned: [], abandoned: [] });
    expect(outputOf(program)).toBe("a");
  });

  test("throws when the first outcome is a failure", () => {
    const program = programOf(function* () {
      yield* race({ a: step("a"), b: step("b") });
    });
    program.start();
    expect(program.observe("/0.b", failed("lost"), 0).abandoned).toEqual(["/0.a"]);
    expect(errorOf(program)).toBe("b: lost");
  });

  test("waits for what the finally blocks of the others plan", () => {
    const program = programOf(function* () {
      return yield* race([
        step("fast"),
        (function* () {
          try {
            yield* step("reserve");
          } finally {
            yield* step("release");
          }
        })(),
      ]);
    });
    program.start();
    const turn = program.observe("/0.0", done("won"), 0);
    expect(turn.abandoned).toEqual(["/0.1/0"]);
    expect(pathsOf(turn)).toEqual(["/0.1/1"]);
    expect(program.end).toBeUndefined();
    program.observe("/0.1/1", done(null), 0);
    expect(outputOf(program)).toBe("won");
  });

  test("does not even begin what comes after a member that has won", () => {
    const program = programOf(function* () {
      return yield* race([all([]), step("never")]);
    });
    expect(program.start().planned).toEqual([]);
    expect(outputOf(program)).toEqual([]);
  });

  test("inside of a race gives up everything below it", () => {
    const program = programOf(function* () {
      return yield* race([step("a"), race([step("b"), all([step("c"), branch(["d"])])])]);
    });
    program.start();
    expect(program.observe("/0.0", done(1), 0).abandoned.toSorted()).toEqual(["/0.1.0", "/0.1.1.0", "/0.1.1.1/0"]);
    expect(outputOf(program)).toBe(1);
  });
});

describe("a plan flow", () => {
  test("plans all steps at the start and gives { step name: output }", () => {
    const program = plan(step("echo"), step("add"));
    expect(pathsOf(program.start())).toEqual(["/0", "/1"]);
    program.observe("/0", done("e"), 0);
    program.observe("/1", done(3), 0);
    expect(outputOf(program)).toEqual({ echo: "e", add: 3 });
  });

  test("ends with its first failure", () => {
    const program = plan(step("echo"), step("add"));
    program.start();
    program.observe("/0", failed("no"), 0);
    expect(errorOf(program)).toBe("no");
  });

  test("without steps is complete", () => {
    const program = plan();
    program.start();
    expect(outputOf(program)).toEqual({});
  });

  test("keeps a step whose name is __proto__ out", () => {
    expect(() => plan(step("__proto__")).start()).toThrow("not a valid name for a step");
  });

  test("with two steps of one name is refused with the way out", () => {
    expect(() => plan(step("echo"), step("echo")).start()).toThrow('{ as: "name" }');
  });
});

function* branch(steps: readonly string[]): Generator<Operation<unknown>, unknown, unknown> {
  const seen: unknown[] = [];
  for (const name of steps) seen.push(yield* step(name));
  return seen;
}

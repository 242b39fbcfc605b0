import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { log, now, random, uuid } from "./flow-context.ts";
import { defineFlow } from "./flow.ts";
import { all, call, map, type Operation } from "./operation.ts";
import { createProgram } from "./create-program.ts";
import type { Program } from "./program.ts";
import { defineTool } from "./tool.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });
const ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";
const OTHER_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a12";

function programOf(run: () => Body, { id = ID, createdAt = 1000 } = {}): Program {
  return createProgram(defineFlow({ name: "sample", input: v.unknown(), run }), {
    id,
    input: "null",
    createdAt,
    stepsMax: 1000,
  });
}

/** Gives every open step an outcome, in the order of the paths given; then the flow's output. */
function outputOf(program: Program, order: readonly string[] = []): unknown {
  program.start();
  order.forEach((path, index) => program.observe(path, { kind: "completed", output: "null" }, 2000 + index));
  return program.end?.kind === "completed" ? JSON.parse(program.end.output) : program.end;
}

describe("now()", () => {
  test("is when the task was created, then when the last outcome was observed", () => {
    const program = programOf(function* () {
      const times = [now().getTime()];
      yield* call(work, 1);
      times.push(now().getTime());
      yield* call(work, 2);
      return [...times, now().getTime()];
    });
    expect(outputOf(program, ["/0", "/1"])).toEqual([1000, 2000, 2001]);
  });

  test("is, in a finally, when the flow heard of the cancel", () => {
    const seen: number[] = [];
    const program = programOf(function* () {
      try {
        yield* call(work, 1);
      } finally {
        seen.push(now().getTime());
      }
    });
    program.start();
    program.cancel(5000);
    expect(seen).toEqual([5000]);
  });

  test("gives a date of its own each time", () => {
    const program = programOf(function* () {
      yield* [];
      now().setTime(0);
      return now().getTime();
    });
    expect(outputOf(program)).toBe(1000);
  });
});

describe("what is drawn by lot", () => {
  function* drawn(): Body {
    const first = [uuid(), random()];
    yield* call(work, 1);
    return [...first, uuid(), random()];
  }

  test("is the same in every run of the task", () => {
    const run = (): unknown => outputOf(programOf(drawn), ["/0"]);
    expect(run()).toEqual(run());
  });

  test("is another in another task, branch and draw", () => {
    const flow = function* (): Body {
      return [uuid(), yield* all({ a: drawn(), b: drawn() }), yield* map([1, 2], () => drawn()), uuid()];
    };
    const order = ["/0.a/0", "/0.b/0", "/1.0/0", "/1.1/0"];
    const lots = [ID, OTHER_ID].flatMap(
      (id) => JSON.stringify(outputOf(programOf(flow, { id }), order)).match(/[0-9a-f-]{36}|0\.\d+/g) ?? [],
    );
    expect(lots).toHaveLength(2 * (2 + 4 * 4));
    expect(new Set(lots).size).toBe(lots.length);
  });

  test("does not depend on what other branches do first", () => {
    const flow = function* (): Body {
      return yield* all([drawn(), drawn()]);
    };
    expect(outputOf(programOf(flow), ["/0.0/0", "/0.1/0"])).toEqual(outputOf(programOf(flow), ["/0.1/0", "/0.0/0"]));
  });

  test("is a UUID, and a number from 0 to below 1 that is spread evenly", () => {
    const program = programOf(function* () {
      yield* [];
      return { id: uuid(), lots: Array.from({ length: 2000 }, random) };
    });
    const { id, lots } = outputOf(program) as { id: string; lots: number[] };
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(lots.every((lot) => lot >= 0 && lot < 1)).toBe(true);
    const tenths = Map.groupBy(lots, (lot) => Math.floor(lot * 10));
    for (let tenth = 0; tenth < 10; tenth++) expect(tenths.get(tenth)?.length ?? 0).toBeWithin(120, 280);
  });
});

describe("log()", () => {
  test("tells the task, and nothing while nobody listens", () => {
    const lines: unknown[] = [];
    const program = programOf(function* () {
      log("first");
      yield* call(work, 1);
      log("second", { n: 2 });
    });
    program.start();
    program.log = (...line) => lines.push(line);
    program.observe("/0", { kind: "completed", output: "null" }, 1);
    expect(lines).toEqual([["second", { task_id: ID, n: 2 }]]);
  });
});

test.each<[string, () => unknown]>([
  ["now()", now],
  ["random()", random],
  ["uuid()", uuid],
  ["log()", () => log("x")],
])("%s outside of a flow says where it belongs", (name, use) => {
  expect(use).toThrow(`${name} belongs in a flow`);
});

describe("in a plan", () => {
  const planOf = (input: () => unknown): Program =>
    createProgram(
      defineFlow({
        name: "sample",
        input: v.unknown(),
        plan: () => [call(work, input()), call(work, input(), { as: "b" })],
      }),
      { id: ID, input: "null", createdAt: 1000, stepsMax: 1000 },
    );

  test("time and chance are those of the task, whenever it is made", () => {
    const inputs = (): unknown[] =>
      planOf(() => [now().getTime(), uuid(), random()])
        .start()
        .planned.map(({ input }) => JSON.parse(input) as unknown);
    const [first, second] = inputs() as [[number, string, number], [number, string, number]];
    expect(inputs()).toEqual([first, second]);
    expect([first[0], second[0]]).toEqual([1000, 1000]);
    expect(first[1]).not.toBe(second[1]);
  });

  test("log() is refused, and says where to log", () => {
    expect(() => planOf(() => log("made")).start()).toThrow("log() has no place in a plan");
  });
});

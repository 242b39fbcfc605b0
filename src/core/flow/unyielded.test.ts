import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { type Body, done, names, outputOf, programOf, step, TASK } from "../../../test/support/programs.ts";
import { createProgram } from "./create-program.ts";
import { defineFlow } from "./flow.ts";
import { all, race } from "./operation.ts";

describe("a call that is made but not yielded", () => {
  const linesOf = (run: Body): unknown[][] => {
    const program = programOf(run);
    const lines: unknown[][] = [];
    program.log = (...line) => lines.push(line);
    const [kept] = program.start().planned;
    program.observe(kept?.path ?? "", done(1), 0);
    expect(outputOf(program)).toBe(1);
    return lines;
  };

  test("is one of a table of which another one was needed: the flow ends with its output, and its log names what it never yielded", () => {
    const lines = linesOf(function* () {
      const table = { a: step("a"), b: all([step("b")]), c: step("c") };
      return yield* table.a;
    });
    expect(lines).toEqual([
      ["the flow has ended, and made operations that it never yielded", { task_id: TASK.id, operations: "all(…), c" }],
    ]);
  });

  test("is none when it is yielded without a star, kept for later, or given to a group", () => {
    const program = programOf(function* () {
      const later = step("later");
      yield step("bare");
      const group = race([all([later]), step("loser")]);
      return yield* group;
    });
    const lines: unknown[] = [];
    program.log = (...line) => lines.push(line);
    program.start();
    program.observe("/0", done(1), 0);
    program.observe("/1.0.0", done(2), 0);
    expect(outputOf(program)).toEqual([2]);
    expect(lines).toEqual([]);
  });

  test("in a plan may be one of a table as well", () => {
    const flow = defineFlow({
      name: "planned",
      input: v.unknown(),
      plan: () => {
        const table = { a: step("a"), b: step("b") };
        return [table.b];
      },
    });
    expect(names(createProgram(flow, TASK).start())).toEqual(["b"]);
  });
});

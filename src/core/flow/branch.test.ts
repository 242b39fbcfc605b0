import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "./flow.ts";
import { all, call, race, type Member, type Operation } from "./operation.ts";
import { createProgram } from "./create-program.ts";
import type { ProgramTask } from "./program.ts";
import { defineTool } from "./tool.ts";
import type { Execution } from "../record/record.ts";

const TASK: ProgramTask = { id: "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11", input: "null", createdAt: 0, stepsMax: 1000 };

const toolOf = (execution: Execution): ReturnType<typeof defineTool> =>
  defineTool({ name: "charge", input: v.unknown(), output: v.unknown(), execution, run: () => null });

function* branch(member: Operation<unknown>): Generator<Operation<unknown>, unknown, unknown> {
  return yield* member;
}

/** Members of a race in which the call stands, ever deeper. */
const PLACES: Readonly<Record<string, (member: Operation<unknown>) => Member>> = {
  itself: (member) => member,
  "a group": (member) => all([member]),
  "a branch": (member) => branch(member),
  "a branch of a group in a race": (member) => race([all([branch(member)])]),
};

for (const [place, memberOf] of Object.entries(PLACES)) {
  test(`an at-most-once tool is refused in a race, as ${place}: a loser is cut short, and would be in doubt for ever`, () => {
    for (const execution of ["at-most-once", "at-least-once"] as const) {
      const flow = defineFlow({
        name: "sample",
        input: v.unknown(),
        *run() {
          return yield* race([memberOf(call(toolOf(execution), 1))]);
        },
      });
      const program = createProgram(flow, TASK);
      const { planned } = program.start();
      if (execution === "at-least-once") expect(planned).toHaveLength(1);
      else {
        expect(planned).toEqual([]);
        expect(program.end?.kind === "failed" && program.end.error).toContain(
          "Tool charge is at-most-once and cannot stand in a race",
        );
      }
    }
  });
}

test("an at-most-once tool may stand beside a race", () => {
  const flow = defineFlow({
    name: "sample",
    input: v.unknown(),
    *run() {
      yield* all([race([call(toolOf("pure"), 1)]), call(toolOf("at-most-once"), 2)]);
    },
  });
  expect(createProgram(flow, TASK).start().planned).toHaveLength(2);
});

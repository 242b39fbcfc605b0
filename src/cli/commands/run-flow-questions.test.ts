// What `run-flow` asks a person for, and when it does not ask.

import { expect, test } from "bun:test";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { ECHO_ADD } from "../../../test/support/fake-flows.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

/** Nobody is asked which one is meant. */
function withOneFlow(): FakeTaskonaut {
  const taskonaut = new FakeTaskonaut();
  taskonaut.listFlows = async () => [ECHO_ADD];
  return taskonaut;
}

test("on a terminal run-flow asks, refuses what does not fit, and shows the task at once", async () => {
  // the text; a: no integer, too many, good; b: its default; the mode: run
  const env = { NO_COLOR: "1", TASKONAUT_API_URL: "http://localhost:1" };
  const types = ["hi\r", "x\r\u0015101\r\u00157\r", "\r", "\r"];
  const taskonaut = withOneFlow();
  const { code, stdout, stderr } = await cli(["run-flow"], { taskonaut, isTTY: true, env, types });
  expect(taskonaut.requests("createTask")).toEqual([[{ flow: "echo_add", input: { text: "hi", a: 7, b: 2 } }]]);
  expect(code).toBe(0);
  expect(stderr).toContain(`Task ${TASK_ID} of flow echo_add\n`);
  expect(stdout).toContain("status   COMPLETED");
});

test("Ctrl-C at a question creates nothing and exits with 130", async () => {
  const taskonaut = withOneFlow();
  const { code, stdout, stderr } = await cli(["run-flow"], { taskonaut, isTTY: true, types: ["\r", "\u0003"] });
  expect(code).toBe(130);
  expect(stdout).toBe("");
  expect(stderr).toBe("Cancelled. No task was created.\n");
  expect(taskonaut.calls).not.toContain("createTask");
  expect(taskonaut.closed).toBe(1);
});

test("--max-steps bounds a run with questions as it does every other", async () => {
  const asked = { taskonaut: withOneFlow(), isTTY: true, types: ["\r", "\r", "\r"] };
  const { code, stderr } = await cli(["run-flow", "--max-steps", "2"], asked);
  expect(code).toBe(4);
  expect(stderr).toContain(`Task ${TASK_ID} did not reach terminal state within 2 steps`);
});

test("on a terminal run-flow asks for what is missing of a flow that is named, and for nothing else", async () => {
  class Orders extends FakeTaskonaut {
    override async describeFlow(name: string): Promise<FlowDescription> {
      const properties = {
        sku: { type: "string", minLength: 2, description: "the article" },
        qty: { type: "integer", default: 1 },
        note: { type: "string" },
      };
      return { ...ECHO_ADD, name, input_schema: { type: "object", properties, required: ["sku", "qty"] } };
    }
  }
  const run = (argv: readonly string[], types: readonly string[] = [], isTTY = true) =>
    cli(["run-flow", "order", ...argv], {
      isTTY,
      types,
      taskonaut: new Orders(),
      env: { NO_COLOR: "1", TASKONAUT_API_URL: "http://localhost:1" },
    });

  const asked = await run(["--note", "soon"], ["x\r1\r"]);
  expect(asked.taskonaut.requests("createTask")).toEqual([[{ flow: "order", input: { note: "soon", sku: "x1" } }]]);
  expect(asked.stderr).toContain(`Task ${TASK_ID} of flow order\n`);
  expect((await run(["--sku", "A1"])).taskonaut.requests("createTask")).toEqual([
    [{ flow: "order", input: { sku: "A1" } }],
  ]);
  expect((await run(["--input", "{}"])).taskonaut.requests("createTask")).toEqual([[{ flow: "order", input: {} }]]);
  expect((await run(["--json"])).taskonaut.requests("createTask")).toEqual([[{ flow: "order", input: {} }]]);
  expect((await run([], [], false)).taskonaut.requests("createTask")).toEqual([[{ flow: "order", input: {} }]]);
  // what was typed is judged before anybody is asked
  const refused = await run(["--qty", "many"]);
  expect([refused.code, refused.taskonaut.requests("createTask")]).toEqual([2, []]);
});

test("a flow that lacks nothing, a field or --json on a terminal means: do not ask", async () => {
  for (const argv of [
    ["run-flow", "echo_add"],
    ["run-flow", "--text", "x"],
    ["run-flow", "--json"],
  ]) {
    expect((await cli(argv, { isTTY: true })).taskonaut.calls).toContain("runTask");
  }
});

// `taskonaut flows <flow>`

import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { ECHO_ADD } from "../../test/support/fake-flows.ts";
import type { CheckedInput, FlowCatalog } from "../core/api/flow-catalog.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { TaskonautError } from "../core/errors.ts";

const CHECKOUT: FlowDescription = {
  ...ECHO_ADD,
  name: "checkout",
  description: "Checks out.",
  form: "run",
  file: "/flows/checkout.ts",
  concurrency: 3,
  input_schema: { type: "object", properties: { sku: { const: "A1" } }, required: ["sku"] },
  signals: {
    approved: { type: "object", properties: { by: { type: "string", minLength: 2 } }, required: ["by"] },
    paid: { type: "null" },
    any: {},
  },
};

function catalogOf(flow: FlowDescription, steps: CheckedInput["steps"]): { openFlows: () => Promise<FlowCatalog> } {
  return {
    openFlows: async () => ({
      passedOver: [],
      list: async () => [flow],
      describe: async (name) => {
        if (name === flow.name) return flow;
        throw new TaskonautError("flow_not_found", `Flow "${name}" not found.`);
      },
      check: (name, input) => {
        if (steps === null && flow.form === "plan") throw new TaskonautError("input_invalid", "No.");
        return { flow: name, form: flow.form, input: input as never, steps };
      },
      findBreaches: () => [],
    }),
  };
}

const plannedStep = (tool_name: string): NonNullable<CheckedInput["steps"]>[number] => ({
  step_index: 1,
  step_name: "s",
  tool_name,
  input_payload: {},
});

test("a flow is shown with its form, file, limit, fields and signals, and a call that runs it", async () => {
  const { code, stdout } = await cli(["flows", "checkout", "--flows", "f"], {
    isTTY: true,
    env: { NO_COLOR: "1" },
    wiring: catalogOf(CHECKOUT, null),
  });
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "checkout",
    "Checks out.",
    "",
    "form   run: it decides on each step by the outcomes before it",
    "file   /flows/checkout.ts",
    "limit  3 tasks run at once, over all workers; those that wait do not count",
    "kept   completed 30 d, failed 90 d, cancelled for ever, from the end of a task on",
    "tools  not known before it runs: get-task shows those that a task has called",
    "",
    "Fields of checkout:",
    "  --sku <A1>  Required",
    "",
    "Signals:",
    "  approved",
    "    by <text>  Required; at least 2 characters",
    "  paid",
    "    null",
    "  any",
    "    any JSON",
    "",
    "Run it:",
    "  taskonaut run-flow checkout --sku A1 --flows f",
    "",
    "Signal it:",
    '  taskonaut signal-task @last:checkout approved --payload \'{"by":"text"}\' --flows f',
    "  taskonaut signal-task @last:checkout paid --flows f",
    "  taskonaut signal-task @last:checkout any --flows f",
    "",
  ]);
});

test("of a plan the tools are told, each once, and where no input is known for sure it is said", async () => {
  const plan: FlowDescription = { ...CHECKOUT, form: "plan", concurrency: null, file: null, signals: {} };
  const show = async (steps: CheckedInput["steps"]): Promise<string> =>
    (await cli(["flows", "checkout"], { isTTY: true, env: { NO_COLOR: "1" }, wiring: catalogOf(plan, steps) })).stdout;
  const shown = await show([plannedStep("a"), plannedStep("b"), plannedStep("a")]);
  expect(shown).toContain("tools  a, b (with the input below)\n");
  expect(shown).toContain("limit  none: any number of its tasks run at once\n");
  expect(shown).toContain("file   built in\n");
  expect(shown).not.toContain("Signals");
  expect(await show([])).toContain("tools  none\n");
  const unknown = await show(null);
  expect(unknown).toContain("tools  known with an input only: validate shows the steps that it plans\n");
  expect(unknown).toContain("Run it:\n  No input is known that it takes for sure: give the fields above.\n");
});

test("for a program it is the description of the flow, as GET /flows/<flow> has it", async () => {
  const { stdout } = await cli(["flows", "checkout"], { wiring: catalogOf(CHECKOUT, null) });
  expect(JSON.parse(stdout)).toEqual(CHECKOUT);
});

test("a flow that there is not is an error, and so are two", async () => {
  const wiring = catalogOf(CHECKOUT, null);
  expect(await cli(["flows", "nope"], { wiring })).toMatchObject({ code: 3, stdout: "" });
  expect(await cli(["flows", "checkout", "other"], { wiring })).toMatchObject({ code: 2, stdout: "" });
});

// The help of a command for one flow of it.

import { expect, test } from "bun:test";
import { cli } from "../../test/support/cli-in-memory.ts";
import { ECHO_ADD } from "../../test/support/fake-flows.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import type { CheckedInput, FlowCatalog } from "../core/api/flow-catalog.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { TaskonautError } from "../core/errors.ts";

const ORDER: FlowDescription = {
  ...ECHO_ADD,
  name: "order",
  description: "Ships what was ordered.",
  form: "run",
  input_schema: {
    type: "object",
    properties: {
      sku: { type: "string", examples: ["A 1"] },
      address: { type: "object", properties: { zip: { type: "string", examples: ["007"] } }, required: ["zip"] },
      gift: { type: "boolean" },
    },
    required: ["sku", "address", "gift"],
  },
};

/** A catalog that has the flow, and takes what `check` takes. */
function catalogOf(
  flow: FlowDescription,
  check: (input: unknown) => CheckedInput,
): { openFlows: () => Promise<FlowCatalog> } {
  const describe = async (name: string): Promise<FlowDescription> => {
    if (name === flow.name) return flow;
    throw new TaskonautError("flow_not_found", `Flow "${name}" not found.`);
  };
  const catalog: FlowCatalog = {
    passedOver: [],
    list: async () => [flow],
    describe,
    check: (_name, input) => check(input),
    findBreaches: () => [],
  };
  return { openFlows: async () => catalog };
}

const takesAll = (input: unknown): CheckedInput => ({ flow: "order", form: "run", input: input as never, steps: null });

test("with a flow, run-flow and validate list its fields, and give a call that works", async () => {
  for (const command of ["run-flow", "validate"]) {
    for (const argv of [
      [command, "order", "--help"],
      ["help", command, "order"],
    ]) {
      const { code, stdout, stderr } = await cli([...argv, "--flows", "my flows"], {
        wiring: catalogOf(ORDER, takesAll),
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("Ships what was ordered.");
      expect(stdout).toContain("Fields of order:\n  --sku <text> ");
      expect(stdout).toMatch(/^ {2}--address\.zip <text> +Required$/m);
      expect(stdout).toMatch(/^ {2}--gift, --no-gift +Required$/m);
      expect(stdout).toContain("Options:\n  --input ");
      expect(stdout).toContain(
        `Examples:\n  taskonaut ${command} order --sku 'A 1' --address.zip 007 --gift --flows 'my flows'\n`,
      );
    }
  }
});

test("an example that the contract refuses is not given", async () => {
  const refuse = (): never => {
    throw new TaskonautError("input_invalid", "The input breaks the contract.");
  };
  const { stdout } = await cli(["run-flow", "order", "--help"], { wiring: catalogOf(ORDER, refuse) });
  expect(stdout).toContain("Fields of order:");
  expect(stdout).not.toContain("Examples:");
});

test("a flow without fields says so, and one whose input is no object how to give it", async () => {
  for (const [input_schema, said] of [
    [{ type: "object" }, "It takes no fields."],
    [
      { type: "array", items: { type: "string" } },
      "Its input is not an object with fields: pass it whole with --input.",
    ],
  ] as const) {
    const { stdout } = await cli(["run-flow", "order", "--help"], {
      wiring: catalogOf({ ...ORDER, input_schema }, takesAll),
    });
    expect(stdout).toContain(`Fields of order:\n  ${said}\n`);
  }
});

test("where the flow cannot be had, the help shows all else and says why", async () => {
  const failing = async (): Promise<never> => {
    throw new TaskonautError("flow_load_failed", 'my.ts:3:4: cannot find "x".');
  };
  for (const [argv, env, wiring, why] of [
    [["run-flow", "order"], {}, { openFlows: failing }, 'my.ts:3:4: cannot find "x".'],
    [["run-flow", "ordr"], {}, catalogOf(ORDER, takesAll), 'Flow "ordr" not found.'],
    [["run-flow", "order"], { LOG_LEVEL: "loud" }, {}, 'LOG_LEVEL: expected error, warn, info, debug, got "loud"'],
    [["run-flow", "order"], {}, { openFlows: () => Promise.reject("odd") }, "odd"],
  ] as const) {
    const { code, stdout, stderr } = await cli([...argv, "--help"], { env, wiring });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll("\n  ", " ")).toContain(`Fields: They cannot be shown. ${why}`);
    expect(stdout).toContain("--mode <mode>");
  }
});

test("of a server the help shows the server's flow", async () => {
  const taskonaut = new FakeTaskonaut();
  for (const [argv, env] of [
    [["--api-base-url", "http://127.0.0.1:1"], {}],
    [[], { TASKONAUT_API_URL: "http://127.0.0.1:1" }],
  ] as const) {
    const { stdout } = await cli(["run-flow", "echo_add", "--help", ...argv], { env, taskonaut });
    expect(stdout).toContain("Fields of echo_add:\n  --text <text>  The text to echo (default: hello)\n");
    expect(stdout).toContain(["Examples:\n  taskonaut run-flow echo_add", ...argv].join(" "));
  }
  expect(taskonaut.closed).toBe(2);
});

test("help of a command that takes no fields has no word for a flow", async () => {
  const { code, stdout, stderr } = await cli(["help", "get-task", "order"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toStartWith('error: get-task takes no fields of a flow; leave out "order"\n');
});

test("a command that takes no fields looks at no flow for its help", async () => {
  const { code, settings } = await cli(["get-task", "order", "--help"]);
  expect({ code, settings }).toEqual({ code: 0, settings: undefined });
});

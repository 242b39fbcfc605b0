// Arguments that mean one thing or another by the flow's contract.

import { expect, test } from "bun:test";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { TaskonautError } from "../core/errors.ts";
import { ECHO_ADD } from "../../test/support/fake-flows.ts";
import { type Argv, readArgv } from "./argv.ts";
import { runFlow } from "./commands/run-flow.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { settleArgv } from "./settle-argv.ts";

const ORDER: FlowDescription = {
  ...ECHO_ADD,
  name: "order",
  input_schema: {
    type: "object",
    properties: { gift: { type: "boolean" }, sku: { type: "string" }, qty: { type: "integer" } },
  },
};

/** The flow order is in the folder `shop` alone; the flow echo_add is everywhere. */
async function describe(_command: unknown, { args: [name = "echo_add"], lists }: Argv): Promise<FlowDescription> {
  if (name === "echo_add") return ECHO_ADD;
  if (name === "order" && lists.get("flows")?.[0] === "shop") return ORDER;
  throw new TaskonautError("flow_not_found", `Flow ${name} not found.`);
}

function settle(...words: string[]): Promise<Argv> {
  return settleArgv(["run-flow", ...words], [runFlow], GLOBAL_OPTIONS, describe);
}

test.each<[string[], Partial<Record<"args" | "flags" | "fields" | "problems", unknown>>]>([
  [
    ["order", "--flows", "shop", "--gift", "--json"],
    { args: ["order"], flags: ["json"], fields: [["gift", undefined]] },
  ],
  [["order", "--flows", "shop", "--sku", "--json"], { args: ["order"], flags: [], fields: [["sku", "--json"]] }],
  [["order", "--gift", "--flows", "shop"], { args: ["order"], flags: [], fields: [["gift", undefined]] }],
  [
    ["--flows=shop", "--gift", "--sku", "A", "order"],
    {
      args: ["order"],
      fields: [
        ["gift", undefined],
        ["sku", "A"],
      ],
    },
  ],
  [
    ["--flows=shop", "order", "--no-gift", "--sku", "--qty"],
    {
      fields: [
        ["no-gift", undefined],
        ["sku", "--qty"],
      ],
    },
  ],
  [["--flows=shop", "order", "--gift", "--", "x"], { args: ["order", "x"], fields: [["gift", undefined]] }],
  [
    ["--text", "--flows", "--a", "1"],
    {
      args: [],
      fields: [
        ["text", "--flows"],
        ["a", "1"],
      ],
    },
  ],
  // a name that the flow has not takes nothing that is known
  [["--gift", "--json"], { flags: ["json"], fields: [["gift", undefined]], problems: [] }],
  [
    ["--gift", "--text", "x"],
    {
      args: [],
      fields: [
        ["gift", undefined],
        ["text", "x"],
      ],
      problems: [],
    },
  ],
  [["--gift", "--other"], { fields: [["gift", "--other"]] }],
])("%j", async (words, expected) => {
  const { args, flags, fields, problems } = await settle(...words);
  expect({ args, flags: [...flags.keys()], fields, problems }).toMatchObject({ ...expected });
});

test("an argument too many names the field that took an option for its value, and no longer calls it a switch", async () => {
  const { problems } = await settle("--flows=shop", "order", "--sku", "--qty", "3");
  expect(problems).toEqual([{ path: "", message: 'unexpected argument "3": `--sku` took `--qty` as its value' }]);
});

test("where no reading finds its flow, the flow is what is wrong, unless the words are", async () => {
  await expect(settle("nowhere", "--gift", "--json")).rejects.toMatchObject({ code: "flow_not_found" });
  const words = ["nowhere", "--gift", "--sku", "A"];
  expect(await settle(...words)).toEqual(readArgv(["run-flow", ...words], [runFlow], GLOBAL_OPTIONS));
});

test("nothing is described for words that can be read in one way alone", async () => {
  const reading = settleArgv(["run-flow", "order", "--sku", "A", "--gift"], [runFlow], GLOBAL_OPTIONS, () => {
    throw new Error("described");
  });
  expect((await reading).fields).toEqual([
    ["sku", "A"],
    ["gift", undefined],
  ]);
});

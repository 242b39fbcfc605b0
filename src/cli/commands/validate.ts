import type { CheckedInput } from "../../core/api/flow-catalog.ts";
import { alignRows, type Cell, showJson, showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { GLOBAL_OPTIONS } from "../options.ts";
import { toJson } from "../print.ts";
import { INPUT_OPTION, readInput } from "../read-input.ts";
import { wrapWords } from "../wrap-words.ts";

export const validate: Command = {
  name: "validate",
  summary: "Check an input against a flow's contract",
  about:
    "The steps of a `plan` flow are shown too. Nothing is called, and nothing is stored. `taskonaut validate echo_add --help` lists the fields of echo_add.",
  args: [{ name: "flow", required: true }],
  options: [INPUT_OPTION],
  takesFields: true,
  needs: "files",
  logLevel: "warn",
  examples: [
    "validate echo_add --text hello --a 2",
    'validate order --input \'{"sku":"A1"}\'',
    "validate order --input @order.json",
  ],

  async run(call) {
    const name = call.args[0] ?? "";
    const catalog = await call.wiring.openFlows();
    const input = await readInput(call, [...validate.options, ...GLOBAL_OPTIONS], () => catalog.describe(name));
    const checked = catalog.check(name, input);
    await call.io.stdout.write(
      call.look.style === "readable" ? showChecked(checked, call) : `${toJson(checked, call.look)}\n`,
    );
    return 0;
  },
};

function showChecked({ flow, input, steps }: CheckedInput, { look, io }: Pick<Call, "look" | "io">): string {
  const { columns, paint } = look;
  const width = Math.max(columns - 7, 16);
  const facts: Cell[][] = [
    [{ text: "flow", color: "dim" }, { text: showText(flow, width) }],
    [{ text: "input", color: "dim" }, { text: showJson(input, width) }],
  ];
  const lines = alignRows(facts, paint);
  if (steps === null)
    lines.push("", wrapWords("The input is valid. The steps of this flow depend on outcomes.", io.stdout));
  else lines.push("", "The input is valid. The steps:", ...showSteps(steps, columns, paint));
  return `${lines.join("\n")}\n`;
}

function showSteps(steps: NonNullable<CheckedInput["steps"]>, columns: number, paint: Call["look"]["paint"]): string[] {
  const rows = steps.map(({ step_index, step_name, tool_name, input_payload }): Cell[] => [
    { text: String(step_index) },
    { text: showText(step_name, 32) },
    { text: showText(tool_name, 32), color: "dim" },
    { text: showJson(input_payload, Math.max(columns - 40, 16)) },
  ]);
  return alignRows(rows, paint);
}

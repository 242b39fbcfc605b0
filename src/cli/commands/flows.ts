import { alignRows, type Cell, showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { toJson } from "../print.ts";

export const flows: Command = {
  name: "flows",
  summary: "List the flows that are there",
  args: [],
  options: [],
  takesFields: false,
  needs: "files",
  logLevel: "warn",
  examples: ["flows", "flows --flows my-flows", "flows --json | jq '.[] | select(.name == \"order\") | .input_schema'"],

  async run({ io, look, wiring }) {
    const catalog = await wiring.openFlows();
    const all = await catalog.list();
    const isReadable = look.style === "readable";
    await io.stdout.write(
      isReadable ? showTable(all, look) + showPassedOver(catalog.passedOver, look) : `${toJson(all, look)}\n`,
    );
    return 0;
  },
};

const HEAD: readonly Cell[] = ["FLOW", "FORM", "FILE", "DESCRIPTION"].map((text) => ({ text, color: "dim" }));
const DESCRIPTION_COLUMNS_MIN = 16;

type Flows = Awaited<ReturnType<Awaited<ReturnType<Call["wiring"]["openFlows"]>>["list"]>>;

function showTable(all: Flows, { columns, paint }: Call["look"]): string {
  const rows = all.map(({ name, form, file }): Cell[] => [
    { text: showText(name, 40), color: "bold" },
    { text: form },
    { text: showText(file ?? "(built in)", 60), color: "dim" },
  ]);
  const widest = Math.max(
    ...alignRows([HEAD.slice(0, 3), ...rows], (_color, text) => text).map((line) => Bun.stringWidth(line)),
  );
  const left = Math.max(columns - widest - 2, DESCRIPTION_COLUMNS_MIN);
  const lines = rows.map((row, index) => [...row, { text: showText(all[index]?.description ?? "", left) }]);
  return `${alignRows([HEAD, ...lines], paint).join("\n")}\n`;
}

function showPassedOver(
  files: Awaited<ReturnType<Call["wiring"]["openFlows"]>>["passedOver"],
  { paint }: Call["look"],
): string {
  if (files.length === 0) return "";
  const lines = files.map(({ file, why }) => paint("dim", `  ${showText(file, 100)}: ${showText(why, 200)}`));
  return `\n${paint("dim", "Passed over")}\n${lines.join("\n")}\n`;
}

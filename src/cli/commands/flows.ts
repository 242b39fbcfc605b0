import { relative } from "node:path";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { findFlow } from "../find-flow.ts";
import { listToJson, toJson } from "../print.ts";
import { showFlow } from "../show-flow.ts";
import { type Column, drawTable } from "../table.ts";
import { runFlow } from "./run-flow.ts";

export const flows: Command = {
  name: "flows",
  summary: "List the flows that are there, or show one",
  about:
    "With a flow, it shows what its input takes, its signals, its limits, the tools it is known to call, and a call that runs it. `taskonaut flows --json` gives the JSON Schemas.",
  args: [{ name: "flow", required: false }],
  options: [],
  takesFields: false,
  needs: "files",
  logLevel: "warn",
  examples: ["flows", "flows echo_add", "flows --flows my-flows", "flows echo_add --json | jq .input_schema"],

  async run({ args, hints, io, look, wiring }) {
    const [name] = args;
    if (name !== undefined) {
      const found = await findFlow(wiring, { name, isRemote: false });
      const isReadable = look.style === "readable";
      await io.stdout.write(isReadable ? showFlow({ found, runFlow, hints }, look) : `${toJson(found.flow, look)}\n`);
      return 0;
    }
    const catalog = await wiring.openFlows();
    const all = await catalog.list();
    const isReadable = look.style === "readable";
    await io.stdout.write(
      isReadable ? showTable(all, look) + showPassedOver(catalog.passedOver, look) : listToJson(all, look),
    );
    return 0;
  },
};

type Flows = Awaited<ReturnType<Awaited<ReturnType<Call["wiring"]["openFlows"]>>["list"]>>;

function showTable(all: Flows, look: Call["look"]): string {
  return `${drawTable(COLUMNS, all, look).join("\n")}\n`;
}

const COLUMNS: readonly Column<Flows[number]>[] = [
  { head: "FLOW", least: 10, most: 40, show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }) },
  { head: "FORM", goes: 3, show: ({ form }) => ({ text: form }) },
  {
    head: "FILE",
    least: 12,
    most: 60,
    goes: 2,
    show: ({ file }, width) => ({ text: showText(fromHere(file), width), color: "dim" }),
  },
  {
    head: "DESCRIPTION",
    least: 16,
    goes: 1,
    show: ({ description }, width) => ({ text: showText(description, width) }),
  },
];

/** The path from the folder that the program was started in, where the file lies below it. */
function fromHere(file: string | null): string {
  if (file === null) return "(built in)";
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

function showPassedOver(
  files: Awaited<ReturnType<Call["wiring"]["openFlows"]>>["passedOver"],
  { paint }: Call["look"],
): string {
  if (files.length === 0) return "";
  const lines = files.map(({ file, why }) => paint("dim", `  ${showText(file, 100)}: ${showText(why, 200)}`));
  return `\n${paint("dim", "Passed over")}\n${lines.join("\n")}\n`;
}

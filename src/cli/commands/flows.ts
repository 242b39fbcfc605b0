import { relative } from "node:path";
import type { FlowCatalog } from "../../core/api/flow-catalog.ts";
import type { FlowDescription, Taskonaut } from "../../core/api/taskonaut.ts";
import { type ErrorCode, hasCode } from "../../core/errors.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { findFlow } from "../find-flow.ts";
import { listToJson, tell, toJson } from "../print.ts";
import { showFlow } from "../show-flow.ts";
import { type Column, drawTable } from "../table.ts";
import { runFlow } from "./run-flow.ts";

export const flows: Command = {
  name: "flows",
  summary: "List the flows that are there, or show one",
  about:
    "With a flow, it shows what its input takes, its signals, its limits, its schedules, what pauses it, the tools it is known to call, and a call that runs it. `taskonaut flows --json` gives the JSON Schemas. Flows are those of the files; pauses and schedules come from the database, if there is one. With --api-base-url all of it is the server's.",
  args: [{ name: "flow", required: false }],
  options: [],
  takesFields: false,
  needs: "tasks",
  prefersFiles: true,
  logLevel: "warn",
  examples: ["flows", "flows echo_add", "flows --flows my-flows", "flows echo_add --json | jq .input_schema"],

  async run(call) {
    const { args, hints, io, look, wiring, isRemote } = call;
    const [name] = args;
    const isReadable = look.style === "readable";
    if (name !== undefined) {
      const found = await findFlow(wiring, { name, isRemote });
      const stands = isRemote ? undefined : await readStanding(call, (taskonaut) => taskonaut.describeFlow(name));
      const flow = stands ?? found.flow;
      await io.stdout.write(
        isReadable ? showFlow({ found: { ...found, flow }, runFlow, hints }, look) : `${toJson(flow, look)}\n`,
      );
      return 0;
    }
    const catalog = isRemote ? undefined : await wiring.openFlows();
    const all = catalog
      ? ((await readStanding(call, (taskonaut) => taskonaut.listFlows())) ?? (await catalog.list()))
      : await withTaskonaut(call, (taskonaut) => taskonaut.listFlows());
    await io.stdout.write(
      isReadable ? showTable(all, look) + showPassedOver(catalog?.passedOver ?? [], look) : listToJson(all, look),
    );
    return 0;
  },
};

/** A missing database is not worth a message. */
const ABSENT: ErrorCode = "database_not_found";

/** The flows with what the database knows. Undefined if no database can be read: the files have the rest. */
async function readStanding<Told>(
  call: Call,
  read: (taskonaut: Taskonaut) => Promise<Told>,
): Promise<Told | undefined> {
  try {
    return await withTaskonaut(call, read);
  } catch (error) {
    if (!hasCode(error, ABSENT)) await tell(call, [`What is paused or scheduled is not known: ${messageOf(error)}`]);
    return undefined;
  }
}

function showTable(all: readonly FlowDescription[], look: Call["look"]): string {
  const columns = COLUMNS.filter(({ only }) => only === undefined || all.some(only));
  return `${drawTable(columns, all, look).join("\n")}\n`;
}

/** `only`: a column that is left out if it would be empty. */
const COLUMNS: readonly (Column<FlowDescription> & { readonly only?: (flow: FlowDescription) => boolean })[] = [
  { head: "FLOW", least: 10, most: 40, show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }) },
  { head: "FORM", goes: 4, show: ({ form }) => ({ text: form }) },
  {
    head: "PAUSED",
    least: 8,
    most: 40,
    only: ({ pauses }) => pauses.length > 0,
    show: ({ pauses: [pause] }, width) =>
      pause === undefined
        ? { text: "" }
        : { text: showText(pause.reason ?? (pause.scope === "all" ? "with all" : "yes"), width), color: "yellow" },
  },
  {
    head: "SCHEDULES",
    least: 10,
    most: 40,
    goes: 2,
    only: ({ schedules }) => schedules.length > 0,
    show: ({ schedules }, width) => ({ text: showText(schedules.map(({ name }) => name).join(", "), width) }),
  },
  {
    head: "FILE",
    least: 12,
    most: 60,
    goes: 3,
    show: ({ file }, width) => ({ text: showText(fromHere(file), width), color: "dim" }),
  },
  {
    head: "DESCRIPTION",
    least: 16,
    goes: 1,
    show: ({ description }, width) => ({ text: showText(description, width) }),
  },
];

/** The path relative to the folder in which the program was started, if the file is below it. */
function fromHere(file: string | null): string {
  if (file === null) return "(built in)";
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

function showPassedOver(files: FlowCatalog["passedOver"], { paint }: Call["look"]): string {
  if (files.length === 0) return "";
  const lines = files.map(({ file, why }) => paint("dim", `  ${showText(file, 100)}: ${showText(why, 200)}`));
  return `\n${paint("dim", "Passed over")}\n${lines.join("\n")}\n`;
}

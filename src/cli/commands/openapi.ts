import type { ApiDocument } from "../wiring.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { toJson } from "../print.ts";
import { type Column, drawTable } from "../table.ts";

export const openapi: Command = {
  name: "openapi",
  summary: "Write the OpenAPI document of a server with these flows",
  about:
    "It is what `taskonaut run-app` serves at /openapi.json: every route, and the schemas of the flows. Generators of clients and of documentation read it. On a terminal it lists the calls that are there because of the flows.",
  args: [],
  options: [],
  takesFields: false,
  needs: "tasks",
  ignores: ["database-url"],
  logLevel: "warn",
  examples: ["openapi > openapi.json", "openapi --flows my-flows --json | jq '.paths | keys'"],

  async run({ io, look, wiring }) {
    const document = await wiring.readApiDocument();
    await io.stdout.write(look.style === "readable" ? showCalls(document, look) : `${toJson(document, look)}\n`);
    return 0;
  },
};

interface Row {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
}

function showCalls({ paths }: ApiDocument, look: Call["look"]): string {
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { summary, "x-flow": flow, "x-signal": signal }]): Row[] =>
      (flow ?? signal) === undefined ? [] : [{ method: method.toUpperCase(), path, summary }],
    ),
  );
  return [...drawTable(COLUMNS, rows, look), "", look.paint("dim", REST), ""].join("\n");
}

const REST = "The document, with --json, also has the calls of every server.";

const COLUMNS: readonly Column<Row>[] = [
  { head: "METHOD", show: ({ method }) => ({ text: showText(method, 8), color: "dim" }) },
  { head: "PATH", least: 20, most: 60, show: ({ path }, width) => ({ text: showText(path, width), color: "bold" }) },
  { head: "WHAT IT DOES", least: 16, goes: 1, show: ({ summary }, width) => ({ text: showText(summary, width) }) },
];

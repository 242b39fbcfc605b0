import type { Command, Option } from "./command.ts";

/** Options that stand before the name of a command or after it; `whyMeaningless` tells to which they mean nothing. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  {
    name: "database-url",
    value: "url",
    summary: "sqlite:<path> or postgres://… (DATABASE_URL; default: a file in your data folder)",
  },
  {
    name: "api-base-url",
    value: "url",
    summary: "Work against a taskonaut server instead of a database (TASKONAUT_API_URL)",
  },
  {
    name: "flows",
    value: "path",
    repeatable: true,
    summary:
      "A file of flows, or a folder of them; may be repeated (TASKONAUT_FLOWS; default: ./flows, or init's folder)",
  },
  { name: "json", summary: "Data and errors as JSON" },
  {
    name: "format",
    value: "format",
    summary: "table, json or ndjson: one JSON value a line (default: table on a terminal, else json)",
  },
  {
    name: "logster",
    summary: "Logs as compact lines (LOG_STYLE: json, human or logster; default: human on a terminal, else json)",
  },
  {
    name: "log-level",
    value: "level",
    summary: "error, warn, info or debug (LOG_LEVEL; default: warn, for work and run-app info)",
  },
  { name: "version", short: "vV", summary: "Show version, commit and Bun version" },
  { name: "help", short: "h", summary: "Show this help, or that of a command" },
];

/** Those that mean something to the command, and that it has no option of its own for. */
export function globalOptionsOf(command: Command): readonly Option[] {
  return GLOBAL_OPTIONS.filter(
    ({ name }) => whyMeaningless(command, name) === undefined && !command.options.some((own) => own.name === name),
  );
}

/** What to say to whoever gives the command this global option; undefined: it means something there. */
export function whyMeaningless({ name, needs, readsOnly, ignores = [] }: Command, option: string): string | undefined {
  const nothing = `means nothing to ${name}`;
  if (ignores.includes(option)) return `${nothing}: leave it out`;
  switch (option) {
    case "database-url":
      if (needs === "files") return `${nothing}, which works on files: leave it out`;
      return needs === "program" ? `${nothing}: leave it out` : undefined;
    case "api-base-url":
      if (needs === "database") return `${name} works on a database: use --database-url`;
      return needs === "files" ? `${nothing}, which works on files: leave it out` : undefined;
    case "flows":
      // what only reads tasks names them in the commands that it offers
      return readsOnly && needs !== "tasks" ? `${nothing}, which loads no flow: leave it out` : undefined;
    default:
      return undefined;
  }
}

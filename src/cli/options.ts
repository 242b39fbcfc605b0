import type { Option } from "./option.ts";
import type { Command } from "./command.ts";

/** Options that may stand before or after the name of a command. `whyMeaningless` says which commands refuse them. */
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

/** The global options that the command accepts, without those that it defines itself. */
export function globalOptionsOf(command: Command): readonly Option[] {
  return GLOBAL_OPTIONS.filter(
    ({ name }) => whyMeaningless(command, name) === undefined && !command.options.some((own) => own.name === name),
  );
}

/** Why the command refuses this global option. Undefined if it accepts it. */
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
      // a command that only reads tasks repeats these options in its hints
      return readsOnly && needs !== "tasks" ? `${nothing}, which loads no flow: leave it out` : undefined;
    default:
      return undefined;
  }
}

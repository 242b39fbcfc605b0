import type { Option } from "./command.ts";

/** Options that every command has, before its name or after it. */
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
  { name: "logster", summary: "Logs as compact lines instead of JSON (LOG_STYLE=logster)" },
  {
    name: "log-level",
    value: "level",
    summary: "error, warn, info or debug (LOG_LEVEL; default: warn, for work and run-app info)",
  },
  { name: "version", short: "v", summary: "Show version, commit and Bun version" },
  { name: "help", short: "h", summary: "Show this help, or that of a command" },
];

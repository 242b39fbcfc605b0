// In which form data is printed: `--format table | json | ndjson`, of which `--json` is the short form of one.

import { readWord, usageError } from "./usage.ts";

export const FORMATS = ["table", "json", "ndjson"] as const;

export type Format = (typeof FORMATS)[number];

/** Undefined where nobody said. Throws usage. */
export function readFormat(flags: ReadonlyMap<string, string>): Format | undefined {
  const format = readWord(flags, "format", FORMATS);
  if (!flags.has("json")) return format;
  if (format !== undefined && format !== "json")
    throw usageError([{ path: "--format", message: `${format} contradicts --json: give one of the two` }]);
  return "json";
}

/** Whether errors are to be JSON as well, whatever else was typed. */
export function asksForJson(flags: ReadonlyMap<string, string>): boolean {
  return flags.has("json") || ["json", "ndjson"].includes(flags.get("format") ?? "");
}

/** The options with `--json` among them where another option means the same: what is said beside the data depends on it. */
export function withJson(flags: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return asksForJson(flags) ? new Map([...flags, ["json", ""]]) : flags;
}

// The form of printed data: `--format table | json | ndjson`. `--json` is short for `--format json`.

import { readWord, usageError } from "./usage.ts";

export const FORMATS = ["table", "json", "ndjson"] as const;

export type Format = (typeof FORMATS)[number];

/** Undefined if no format was given. Throws usage. */
export function readFormat(flags: ReadonlyMap<string, string>): Format | undefined {
  const format = readWord(flags, "format", FORMATS);
  if (!flags.has("json")) return format;
  if (format !== undefined && format !== "json")
    throw usageError([{ path: "--format", message: `${format} contradicts --json: give one of the two` }]);
  return "json";
}

/** Whether errors are JSON as well, even if other arguments are wrong. */
export function asksForJson(flags: ReadonlyMap<string, string>): boolean {
  return flags.has("json") || ["json", "ndjson"].includes(flags.get("format") ?? "");
}

/** Adds `--json` if another option means the same: code that writes beside the data asks for `json` only. */
export function withJson(flags: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return asksForJson(flags) ? new Map([...flags, ["json", ""]]) : flags;
}

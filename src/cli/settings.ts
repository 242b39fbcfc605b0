// Flags over environment over defaults. An empty environment variable is as good as none.

import type { Violation } from "../core/errors.ts";
import { LOG_LEVELS, type LogLevel } from "../core/log.ts";
import { LOG_STYLES } from "../log/create-log.ts";
import type { Command } from "./command.ts";
import type { Env } from "./io.ts";
import { whyMeaningless } from "./options.ts";
import { notOneOf, usageError } from "./usage.ts";
import type { Settings } from "./wiring.ts";

interface Source {
  /** `--log-level` or `LOG_LEVEL`: for messages. */
  readonly name: string;
  readonly value: string;
}

/**
 * Throws usage, with every violation at once. `--database-url` beats TASKONAUT_API_URL and `--api-base-url` beats
 * DATABASE_URL, because typed options count more; typing both is a contradiction. `logsAtTerminal`: a person reads the log.
 */
export function resolveSettings(
  command: Command,
  flags: ReadonlyMap<string, string>,
  env: Env,
  lists: ReadonlyMap<string, readonly string[]> = new Map(),
  { logsAtTerminal = false, action }: { readonly logsAtTerminal?: boolean; readonly action?: string | undefined } = {},
): Settings {
  const problems: Violation[] = [];
  const find = (flag: string, variable: string): Source | undefined => findSource(flags, flag, env, variable);
  const ofDatabase = command.needs === "database";
  const ofFiles = command.needs === "files";
  const meansFiles = command.prefersFiles === true && lists.has("flows") && !flags.has("api-base-url");

  if (flags.has("api-base-url") && flags.has("database-url")) {
    problems.push({ path: "--api-base-url", message: "contradicts --database-url: give one of the two" });
  } else {
    for (const flag of [...flags.keys(), ...lists.keys()]) {
      const message = whyMeaningless(command, flag);
      if (message !== undefined) problems.push({ path: `--${flag}`, message });
    }
  }
  if (flags.has("api-base-url") && lists.has("flows")) {
    problems.push({ path: "--flows", message: "contradicts --api-base-url: the server has flows of its own" });
  }
  const api =
    flags.has("database-url") || ofDatabase || ofFiles || meansFiles
      ? undefined
      : find("api-base-url", "TASKONAUT_API_URL");
  const database = flags.has("api-base-url") ? undefined : find("database-url", "DATABASE_URL");
  const level = find("log-level", "LOG_LEVEL");
  const style = flags.has("logster") ? undefined : find("log-style", "LOG_STYLE");

  const chooseLogStyle = (): Settings["logStyle"] => {
    if (flags.has("logster")) return "logster";
    return style ? chooseWord(style, LOG_STYLES, problems) : logsAtTerminal ? "human" : "json";
  };

  // commands that only read load no flows, with or without a server
  if (api?.name === "TASKONAUT_API_URL" && lists.has("flows") && !command.readsOnly) {
    const message = `means nothing to the server that ${api.name} names, which has flows of its own: leave it out, or give --database-url`;
    problems.push({ path: "--flows", message });
  }

  if (database?.value === "") problems.push({ path: database.name, message: "expected a URL, got nothing" });
  const settings: Settings = {
    databaseUrl: database?.value,
    apiBaseUrl: api && readHttpUrl(api, problems),
    apiToken: env["TASKONAUT_API_TOKEN"] || undefined,
    makesDatabase: [true, action ?? ""].includes(command.makesDatabase ?? false),
    flows: lists.get("flows") ?? [],
    loadsFlows: command.readsOnly !== true,
    logLevel: level ? chooseWord<LogLevel>(level, LOG_LEVELS, problems) : command.logLevel,
    logStyle: chooseLogStyle(),
  };
  if (problems.length > 0) throw usageError(problems);
  return settings;
}

function findSource(flags: ReadonlyMap<string, string>, flag: string, env: Env, variable: string): Source | undefined {
  const typed = flags.get(flag);
  if (typed !== undefined) return { name: `--${flag}`, value: typed };
  const value = env[variable];
  return value ? { name: variable, value } : undefined;
}

function chooseWord<Word extends string>({ name, value }: Source, words: readonly Word[], problems: Violation[]): Word {
  const found = words.find((word) => word === value.toLowerCase());
  if (found === undefined) problems.push(notOneOf(words, name, value));
  return found ?? (words[0] as Word);
}

function readHttpUrl({ name, value }: Source, problems: Violation[]): string {
  const url = URL.parse(value);
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    problems.push({ path: name, message: `expected a URL like http://127.0.0.1:8000, got ${JSON.stringify(value)}` });
  }
  return value;
}

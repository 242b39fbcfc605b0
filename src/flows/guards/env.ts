// The process's settings under names other than `process.env`, where the guard of `process` does not see them:
// `import.meta.env`, a copy made at load (`const env = process.env`), and imports from "node:process". Such a file gets
// an object that works as usual, except in a running flow.

import { isWatched, violate } from "../../core/flow/determinism.ts";
import { readTokens, type Token } from "../tokens.ts";
import { READ_IN_TOOL } from "./advice.ts";
import { namesIn } from "./bun.ts";
import { callerOf } from "./caller.ts";

const MODULE = "taskonaut:process";
/** As long as the text that it replaces, so that nothing moves. */
const ALIAS = "$processEnv";

const IMPORT = /(\bimport\s[^'";]*\}\s*from\s*)(["'])(?:node:)?process\2/g;
const IS_MODULE = /^\s*(?:import|export)\b/m;

const META_ENV = ["import", ".", "meta", ".", "env"];
const PROCESS_ENV = ["=", "process", ".", "env"];
/** After these, the file either reads a value at once, which the guard of `process` sees, or assigns one. */
const GOES_ON = new Set([".", "?", "[", "=", "("]);

/** The text with `process.env` instead of `import.meta.env`. Nothing moves. */
export function withGuardedEnv(text: string): string {
  if (!/\bmeta\s*\.\s*env\b/.test(text)) return text;
  return replaceTokens(text, META_ENV, () => "process.env");
}

/** What the loader must provide: the module, and the new text of the file. */
export interface WithProcess {
  readonly text: string;
  readonly module: { readonly name: string; readonly exports: Readonly<Record<string, unknown>> };
}

/** Undefined if the file keeps no copy. */
export function withGuardedProcess(text: string): WithProcess | undefined {
  if (!/\bprocess\b/.test(text) || !IS_MODULE.test(text)) return undefined;
  const kept = replaceTokens(text, PROCESS_ENV, (written, next) =>
    GOES_ON.has(next) ? written : written.replace(/process\s*\.\s*env$/, ALIAS),
  );
  const names = new Set([...kept.matchAll(IMPORT)].flatMap(([, clause = ""]) => namesIn(clause)));
  if (kept !== text) names.add("env");
  if (!names.has("env") && !names.has("argv")) return undefined;
  const name = [MODULE, ...[...names].toSorted()].join("/");
  const imported = kept.replaceAll(IMPORT, (_all, clause: string) => `${clause}${JSON.stringify(name)}`);
  const alias = kept === text ? "" : `\nimport { env as ${ALIAS} } from ${JSON.stringify(name)};\n`;
  return { text: `${imported}${alias}`, module: { name, exports: exportsOf(names) } };
}

/** `as`: makes the replacement from the written words and the next token. Words across several lines stay. */
function replaceTokens(text: string, words: readonly string[], as: (written: string, next: string) => string): string {
  const tokens = readTokens(text) ?? [];
  const isHere = (index: number): boolean => words.every((word, at) => tokens[index + at]?.text === word);
  let replaced = text;
  for (const [index, { start }] of tokens.entries()) {
    if (!isHere(index)) continue;
    const last = tokens[index + words.length - 1] as Token;
    const written = text.slice(start, last.end);
    if (written.includes("\n")) continue;
    const instead = as(written, tokens[index + words.length]?.text ?? "").padEnd(written.length);
    if (instead.length === written.length)
      replaced = `${replaced.slice(0, start)}${instead}${replaced.slice(last.end)}`;
  }
  return replaced;
}

/** Only the requested members: reading a member may open a stream. */
function exportsOf(names: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  const members = [...names].map((name) => {
    const member: unknown = Reflect.get(process, name);
    const isSettings = name === "env" || name === "argv";
    return [name, isSettings ? guarded(`process.${name}`, member as object) : member] as const;
  });
  return { ...Object.fromEntries(members), default: process };
}

/** Works as usual, except in a running flow. */
function guarded<T extends object>(call: string, settings: T): T {
  const whenFree = <R>(read: () => R): R => {
    if (isWatched()) violate(call, READ_IN_TOOL, callerOf(whenFree));
    return read();
  };
  return new Proxy(settings, {
    get: (target, key) => whenFree((): unknown => Reflect.get(target, key)),
    has: (target, key) => whenFree(() => Reflect.has(target, key)),
    ownKeys: (target) => whenFree(() => Reflect.ownKeys(target)),
    getOwnPropertyDescriptor: (target, key) => whenFree(() => Reflect.getOwnPropertyDescriptor(target, key)),
  });
}

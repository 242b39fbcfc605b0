// The settings of the process under other names than `process.env`, where the guard of `process` stands: `import.meta.env`,
// what a file keeps of it when it is loaded (`const env = process.env`), and what it imports from "node:process". A file
// that does so gets an object that is the same to everyone but a running flow.

import { isWatched, violate } from "../../core/flow/determinism.ts";
import { readTokens, type Token } from "../tokens.ts";
import { READ_IN_TOOL } from "./advice.ts";
import { namesIn } from "./bun.ts";
import { callerOf } from "./caller.ts";

const MODULE = "taskonaut:process";
/** As long as what it stands for, so that nothing moves. */
const ALIAS = "$processEnv";

const IMPORT = /(\bimport\s[^'";]*\}\s*from\s*)(["'])(?:node:)?process\2/g;
const IS_MODULE = /^\s*(?:import|export)\b/m;

const META_ENV = ["import", ".", "meta", ".", "env"];
const PROCESS_ENV = ["=", "process", ".", "env"];
/** What comes after it reads from it at once, which the guard of `process` sees, or sets it. */
const GOES_ON = new Set([".", "?", "[", "=", "("]);

/** The text with `process.env` in the place of `import.meta.env`. Nothing moves. */
export function withGuardedEnv(text: string): string {
  if (!/\bmeta\s*\.\s*env\b/.test(text)) return text;
  return replaceTokens(text, META_ENV, () => "process.env");
}

/** As the loader must give it out: what it provides, and the text of the file. */
export interface WithProcess {
  readonly text: string;
  readonly module: { readonly name: string; readonly exports: Readonly<Record<string, unknown>> };
}

/** Undefined where the file keeps nothing of it. */
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

/** `as`: what to write for the words as they are written, by what comes next. What stands on several lines stays. */
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

/** Only what is asked for: to read a member may open a stream. */
function exportsOf(names: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  const members = [...names].map((name) => {
    const member: unknown = Reflect.get(process, name);
    const isSettings = name === "env" || name === "argv";
    return [name, isSettings ? guarded(`process.${name}`, member as object) : member] as const;
  });
  return { ...Object.fromEntries(members), default: process };
}

/** The same to everyone but a running flow. */
function guarded<T extends object>(call: string, settings: T): T {
  const whenFree = <R>(read: () => R): R => {
    if (isWatched()) violate(call, READ_IN_TOOL, callerOf(whenFree).place);
    return read();
  };
  return new Proxy(settings, {
    get: (target, key) => whenFree((): unknown => Reflect.get(target, key)),
    has: (target, key) => whenFree(() => Reflect.has(target, key)),
    ownKeys: (target) => whenFree(() => Reflect.ownKeys(target)),
    getOwnPropertyDescriptor: (target, key) => whenFree(() => Reflect.getOwnPropertyDescriptor(target, key)),
  });
}

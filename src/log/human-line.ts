// A log line for a person at a terminal: when, how bad, what, and the facts.
//
// Where taskonaut itself wrote the line interests whoever debugs taskonaut, and nobody else; where a user's own file
// wrote it is always told. A stack follows on lines of its own.

import type { LogFields } from "../core/log.ts";
import type { Caller } from "./caller.ts";
import { LEVEL_COLORS, type LogEntry, quote, readField, toPlainText } from "./lines.ts";
import type { Paint } from "./paint.ts";
import { showControls } from "../core/visible.ts";

/** Ids that a person has no use for: the task's id and the name of the step say the same. */
const QUIET = new Set(["step_id"]);

/** Told last: a person wants to know what happened first, and in which task then. */
const LAST = ["task_id"];

const STACK = "stack";

/** `12:03:04 WARN  tool attempt failed  step=charge attempt=1 error="connection refused"`, the time in the machine's zone. `folder`: files in it are named from there on. */
export function toHumanLine(
  { date, level, caller, message, fields }: LogEntry,
  paint: Paint,
  { isDebugging, folder }: { readonly isDebugging: boolean; readonly folder: string },
): string {
  const head = `${paint("dim", date.toTimeString().slice(0, 8))} ${paint(LEVEL_COLORS[level], level.toUpperCase().padEnd(5))}`;
  const stack = readStack(fields);
  const names = Object.keys(fields).filter((name) =>
    name === STACK ? stack === undefined : isDebugging || !QUIET.has(name),
  );
  const facts = [...names.filter((name) => !LAST.includes(name)), ...LAST.filter((name) => names.includes(name))]
    .map((name) => [name, toPlainText(readField(fields, name))] as const)
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${paint("dim", `${quote(name)}=`)}${text}`);
  const place = isDebugging || isOfUser(caller) ? [paint("dim", `(${showPlace(caller, folder)})`)] : [];
  const line = [
    head,
    " ",
    [showControls(message), [...facts, ...place].join(" ")].filter((text) => text !== "").join("  "),
  ];
  return `${line.join("")}\n${stack === undefined ? "" : showStack(stack)}`;
}

/** Taskonaut's own files are told from its root on. */
function isOfUser({ file }: Caller): boolean {
  return file.startsWith("/");
}

function showPlace(caller: Caller, folder: string): string {
  const { file, function: name, line } = caller;
  if (!isOfUser(caller)) return showControls(`${file}:${line} ${name}`);
  const shown = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
  return showControls(`${shown}:${line}`);
}

/** Undefined also where a user has called something else so. */
function readStack(fields: LogFields): string | undefined {
  const stack = Object.hasOwn(fields, STACK) ? readField(fields, STACK) : undefined;
  return typeof stack === "string" && stack.includes("\n") ? stack : undefined;
}

function showStack(stack: string): string {
  return stack
    .split("\n")
    .map((line) => `    ${showControls(line.trim())}\n`)
    .join("");
}

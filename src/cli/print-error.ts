// Errors on stderr: what is wrong, each violation on a line, and what to do next.

import { type ErrorCode, TaskonautError } from "../core/errors.ts";
import { createPaint, wantsColor } from "../log/paint.ts";
import { escapeControls, showControls } from "../log/visible.ts";
import type { Env, Output } from "./io.ts";

export interface ErrorContext {
  /** The command that was typed, where it is known. */
  readonly command: string | undefined;
  readonly json: boolean;
  /** Show the stack of an error that nobody foresaw. */
  readonly debug: boolean;
  readonly env: Env;
}

/** What an unforeseen error exits with: EX_SOFTWARE of sysexits.h. */
const EXIT_UNKNOWN = 70;

/** Where the message alone does not say what to do next. `{command}` is the command that was typed. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  usage: "`taskonaut {command}--help` shows what can be typed.",
  input_invalid: "`taskonaut {command}--help` shows how to give it.",
  flow_not_found: "`taskonaut flows` lists the flows that are loaded.",
  task_not_found: "`taskonaut get-tasks` lists the tasks of this database.",
  task_id_invalid: "`taskonaut get-tasks` lists the tasks with their ids.",
  max_steps_exhausted: "Everything done so far is kept; `taskonaut run-task <id>` goes on from there.",
  task_not_in_doubt: "`taskonaut get-task <id>` shows its steps.",
  task_parked:
    "When the reason is gone, `taskonaut resume-task <id>` takes the task up again; `taskonaut cancel-task <id> --force` ends it.",
  unauthorized: "Set TASKONAUT_API_TOKEN to the token that the server was started with.",
};

/** Gives the exit code of the error. */
export async function printError(stderr: Output, error: unknown, context: ErrorContext): Promise<number> {
  await stderr.write(hidePasswords(context.json ? toJsonText(error, context) : toText(error, context, stderr.isTTY)));
  return error instanceof TaskonautError ? error.exit : EXIT_UNKNOWN;
}

/** Of URLs that were typed in the wrong place, for one: an error is read aloud, logged and pasted into a chat. */
function hidePasswords(text: string): string {
  return text.replace(/(:\/\/[^\s"/@:]{0,200}:)[^\s"]{1,500}@/g, "$1***@");
}

function toJsonText(error: unknown, { debug }: ErrorContext): string {
  const { code, errors, details } =
    error instanceof TaskonautError ? error : { code: "internal", errors: [], details: {} };
  const stack = debug && code === "internal" ? { stack: stackOf(error) } : {};
  // whoever reads it, a terminal may be what shows it
  return `${escapeControls(JSON.stringify({ code, message: messageOf(error), errors, details, ...stack }))}\n`;
}

function toText(error: unknown, { command, debug, env }: ErrorContext, isTTY: boolean): string {
  const paint = createPaint(wantsColor(isTTY, env));
  const known = error instanceof TaskonautError ? error : undefined;
  const isCancel = known?.code === "cancelled";
  const lines = [isCancel ? showLines(messageOf(error)) : `${paint("red", "error:")} ${showLines(messageOf(error))}`];
  for (const { path, message } of known?.errors ?? [])
    lines.push(showControls(path === "" ? `  ${message}` : `  ${path}: ${message}`));
  const hint = known && HINTS[known.code];
  if (hint) lines.push(`${paint("cyan", "hint:")} ${hint.replace("{command}", command ? `${command} ` : "")}`);
  if (!known || known.code === "internal") {
    if (debug) lines.push(showLines(stackOf(error)));
    else if (!isOfSystem(error))
      lines.push(`${paint("cyan", "hint:")} This is a fault of taskonaut; --log-level debug shows where.`);
  }
  return `${lines.join("\n")}\n`;
}

/** Line breaks stay, other controls are written out. */
function showLines(text: string): string {
  return text.split("\n").map(showControls).join("\n");
}

/** The operating system refused something (a full disk, no more files): not a fault of the program. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && "errno" in error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error);
}

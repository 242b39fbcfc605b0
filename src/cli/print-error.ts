// Errors on stderr: what is wrong, each violation on a line, and what to do next.

import { describeViolations, TaskonautError, type Violation } from "../core/errors.ts";
import { toStoredError } from "../core/record/stored-error.ts";
import { createPaint, wantsColor } from "../log/paint.ts";
import { escapeControls, showControls } from "../core/visible.ts";
import { describeCauses } from "./describe-causes.ts";
import { type FailedCall, hintsFor } from "./error-hints.ts";
import { type Hint, showHint } from "./hint.ts";
import type { Env, Output } from "./io.ts";
import { showSource } from "./source-frame.ts";
import { wrapIndented, wrapWords } from "./wrap-words.ts";

export interface ErrorContext extends FailedCall {
  readonly json: boolean;
  /** Shows the stack of an unforeseen error. */
  readonly debug: boolean;
  readonly env: Env;
}

/** What an unforeseen error exits with: EX_SOFTWARE of sysexits.h. */
const EXIT_UNKNOWN = 70;

/** Gives the exit code of the error. */
export async function printError(stderr: Output, error: unknown, context: ErrorContext): Promise<number> {
  await stderr.write(hidePasswords(context.json ? toJsonText(error, context) : toText(error, context, stderr)));
  return error instanceof TaskonautError ? error.exit : EXIT_UNKNOWN;
}

/** Hides passwords, for example of a URL in the wrong place: people log errors and paste them into chats. */
function hidePasswords(text: string): string {
  return text.replace(/(:\/\/[^\s"/@:]{0,200}:)[^\s"]{1,500}@/g, "$1***@");
}

function toJsonText(error: unknown, context: ErrorContext): string {
  const { code, errors, details } =
    error instanceof TaskonautError ? error : { code: "internal", errors: [], details: {} };
  const hint = hintsOf(error, context).map(({ text, command }) => command ?? text);
  const stack = context.debug && code === "internal" ? { stack: stackOf(error) } : {};
  // a terminal may show it, even if a program reads it
  return `${escapeControls(JSON.stringify({ code, message: messageOf(error), errors, details, hint, ...stack }))}\n`;
}

function toText(error: unknown, context: ErrorContext, stderr: Output): string {
  const { isTTY, columns } = stderr;
  const paint = createPaint(wantsColor(isTTY, context.env));
  const known = error instanceof TaskonautError ? error : undefined;
  const isCancel = known?.code === "cancelled";
  const violations = known?.errors ?? [];
  const said = withoutList(messageOf(error), violations);
  const lines = [wrapWords(isCancel ? said : `error: ${said}`, stderr).replace(/^error:/, paint("red", "error:"))];
  const isOfFile = known?.code === "flow_load_failed";
  if (isOfFile) lines.push(...showSource(known.message, { columns, paint }), ...showCauses(known.cause));
  for (const { path, message } of violations) {
    // the message has said it
    if (said.includes(path === "" ? message : `${path}: ${message}`)) continue;
    lines.push(wrapIndented(showControls(path === "" ? message : `${path}: ${message}`), "  ", stderr));
  }
  lines.push(...hintsOf(error, context).map((hint) => showHint(hint, paint)));
  if (context.debug && (isFault(error) || isOfFile)) lines.push(showLines(stackOf(isOfFile ? known.cause : error)));
  return `${lines.join("\n")}\n`;
}

/** Several violations are listed below the message, so it does not repeat them at its end. */
function withoutList(message: string, violations: readonly Violation[]): string {
  const list = `: ${describeViolations(violations)}`;
  return violations.length > 1 && message.endsWith(list) ? `${message.slice(0, -list.length)}:` : message;
}

function hintsOf(error: unknown, context: ErrorContext): readonly Hint[] {
  if (error instanceof TaskonautError && error.code !== "internal") return hintsFor(error, context);
  // the server's own log has the details
  const isElsewhere = context.hints.isRemote && error instanceof TaskonautError;
  return context.debug || isElsewhere || !isFault(error) ? [] : context.hints.give("showFault");
}

/** What the error that a file of the user's threw was thrown for. */
function showCauses(thrown: unknown): readonly string[] {
  return describeCauses(toStoredError(thrown)).map((text) => showControls(`  cause: ${text}`));
}

/** Of the program itself: nobody foresaw it. */
function isFault(error: unknown): boolean {
  return error instanceof TaskonautError ? error.code === "internal" : !isOfSystem(error);
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

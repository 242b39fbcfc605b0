// What a tool tells of its progress: read, and bounded.

import type { Progress } from "../record/progress.ts";
import type { JsonText } from "../record/record.ts";
import { isObject, tellGiven } from "./definition.ts";
import { suggest } from "../nearest.ts";

export const PROGRESS_MESSAGE_MAX = 500;

const FIELDS: readonly string[] = ["done", "total", "message"] satisfies readonly (keyof Progress)[];

export type ReadProgress =
  | { readonly ok: true; readonly text: JsonText }
  | { readonly ok: false; readonly message: string };

/** As JSON text of a few hundred bytes; or what is wrong with what was given, for whoever mends the tool. */
export function readProgress(given: unknown): ReadProgress {
  if (!isObject(given)) return refused(`it takes an object such as { done: 3, total: 10 }, got ${tellGiven(given)}`);
  const unknown = Object.keys(given).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    return refused(
      `it has no field ${JSON.stringify(unknown)}; known: ${FIELDS.join(", ")}${suggest(unknown, FIELDS)}`,
    );
  }
  const { done, total, message } = given;
  for (const [name, value] of [
    ["done", done],
    ["total", total],
  ] as const) {
    if (value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= 0)) continue;
    return refused(`${name} must be a number, 0 or more, got ${tellGiven(value)}`);
  }
  if (message !== undefined && typeof message !== "string")
    return refused(`message must be a text, got ${tellGiven(message)}`);
  if (done === undefined && message === undefined) return refused("it says neither done nor message");
  return { ok: true, text: JSON.stringify({ done, total, message: message === undefined ? message : cut(message) }) };
}

function refused(why: string): ReadProgress {
  return { ok: false, message: `progress(): ${why}.` };
}

function cut(message: string): string {
  if (message.length <= PROGRESS_MESSAGE_MAX) return message.toWellFormed();
  return `${message.slice(0, PROGRESS_MESSAGE_MAX - 1)}…`.toWellFormed();
}

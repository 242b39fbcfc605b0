// What a person may type for a task's id: the id itself, in any letter case and also without its dashes; its beginning, as
// long as it begins no other; and `@last`.

import { TaskonautError } from "../errors.ts";
import { suggest } from "../nearest.ts";
import { isId } from "./ids.ts";

/** A shorter beginning is no help to anybody: all ids of a year and more begin alike. */
const BEGINNING_MIN = 4;

/** How many tasks are told of at most where a beginning is that of several. */
export const FOUND_MAX = 10;

export type TaskName =
  /** Ids that lie from the one to the other, both included. */
  | { readonly kind: "beginning"; readonly from: string; readonly to: string }
  /** The newest task that is no child, of this flow or of any. */
  | { readonly kind: "last"; readonly flow: string | null };

const LAST = "@last";
/** The name of a flow is of the form of all names. */
const LAST_OF_FLOW = /^@last:([a-z][\w.-]{0,99})$/i;
const LOWEST = "00000000-0000-0000-0000-000000000000";
const HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Throws task_id_invalid. */
export function parseTaskName(text: string): TaskName {
  if (text.toLowerCase() === LAST) return { kind: "last", flow: null };
  const [, flow] = LAST_OF_FLOW.exec(text) ?? [];
  if (flow !== undefined) return { kind: "last", flow };
  const beginning = withDashes(text.toLowerCase());
  const from = beginning + LOWEST.slice(beginning.length);
  const to = beginning + HIGHEST.slice(beginning.length);
  const digits = beginning.replaceAll("-", "").length;
  if (digits >= BEGINNING_MIN && beginning.length <= LOWEST.length && isId(from))
    return { kind: "beginning", from, to };
  throw new TaskonautError(
    "task_id_invalid",
    `${JSON.stringify(text)} is not a task id: a UUID such as 0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11, its first ${BEGINNING_MIN} characters or more, or ${LAST}${suggest(text, [LAST]) || "."}`,
  );
}

/** The whole id; undefined where the text is something else. */
export function readWholeId(text: string): string | undefined {
  const id = withDashes(text.toLowerCase());
  return isId(id) ? id : undefined;
}

/** As ids are written; a text that has dashes already, or something else, stays as it is. */
function withDashes(text: string): string {
  if (!/^[\da-f]{9,32}$/.test(text)) return text;
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)]
    .filter((part) => part !== "")
    .join("-");
}

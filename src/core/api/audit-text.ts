// The audit log in requests: its filters, the reason in a header, and times.

import type { Violation } from "../errors.ts";
import { suggest } from "../nearest.ts";
import { AUDIT_ACTIONS, WAYS } from "../record/audit.ts";
import type { AuditFilter } from "./audit.ts";
import { readFilter } from "./filter-text.ts";
import { timeOfBound } from "./task-filter.ts";

/** Of a request: why. Whatever is no visible ASCII is percent-encoded, as UTF-8. */
export const REASON_HEADER = "Taskonaut-Reason";

/** For the header. */
export function writeReason(reason: string): string {
  return /^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/.test(reason)
    ? reason
    : encodeURIComponent(reason);
}

/** What is not encoded is taken as it is. */
export function readReason(header: string): string {
  if (!/%[0-9a-f]{2}/i.test(header)) return header;
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

/** One vocabulary for the command line and for the API. */
export const AUDIT_FILTERS = [
  { name: "who", value: "name", summary: "Done by whom: a token's name, or user@host" },
  { name: "action", value: "name", summary: "What was done, as cancel-task or limits set" },
  { name: "target", value: "id", summary: "To what: the id of a task or token, the name of a flow, schedule or tool" },
  { name: "way", value: "way", summary: `By which way: ${WAYS.join(", ")}` },
  { name: "since", value: "time", summary: "Since then: 2h (two hours ago), 7d, or 2026-11-24T08:00:00Z" },
  { name: "until", value: "time", summary: "Before then" },
] as const;

/** `textOf`: what was given of a name. Gives every violation, with the path that `pathOf` makes of a name. */
export function readAuditFilter(
  textOf: (name: string) => string | undefined,
  now: number,
  pathOf: (name: string) => string = (name) => name,
): { readonly filter: AuditFilter; readonly errors: Violation[] } {
  const errors: Violation[] = [];
  const time = (name: "since" | "until"): number | undefined => {
    const text = textOf(name);
    if (text === undefined) return undefined;
    const { filter, errors: wrong } = readFilter([[name, text]], pathOf);
    errors.push(...wrong);
    const bound = filter[name];
    return bound === undefined ? undefined : timeOfBound(bound, now);
  };
  const way = textOf("way");
  const known = WAYS.find((each) => each === way);
  if (way !== undefined && known === undefined) {
    errors.push({ path: pathOf("way"), message: `expected ${WAYS.join(", ")}, received ${JSON.stringify(way)}` });
  }
  const action = textOf("action");
  if (action !== undefined && !AUDIT_ACTIONS.some((each) => each === action)) {
    const message = `unknown action ${JSON.stringify(action)}; known: ${AUDIT_ACTIONS.join(", ")}${suggest(action, AUDIT_ACTIONS)}`;
    errors.push({ path: pathOf("action"), message });
  }
  const filter = {
    who: textOf("who"),
    action,
    target: textOf("target"),
    way: known,
    since: time("since"),
    until: time("until"),
  };
  return { filter, errors };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

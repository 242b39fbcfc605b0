// How long tasks are kept once they have ended. A flow may say it, in all or for one kind of end; where it says nothing, the
// process that removes them does (`limits.ts`).

import { type Duration, toMs } from "../record/duration.ts";
import { tellWrongDuration } from "./duration.ts";
import { type Faults, isObject, tellGiven } from "./definition.ts";
import type { Retention } from "../limits.ts";
import type { TaskStatus } from "../record/status.ts";

/** `"7d"`, milliseconds, or `"off"`: it is kept until somebody removes it. A minute or more. */
type KeptFor = Duration | "off";

/** In all, or by the state in which a task ended; a state that is not named has the default. */
export type RetentionOption =
  | KeptFor
  | { readonly completed?: KeptFor; readonly failed?: KeptFor; readonly cancelled?: KeptFor };

/** The states in which a task ends, and what they are called in a retention. */
const ENDS = { COMPLETED: "completed", FAILED: "failed", CANCELLED: "cancelled" } as const satisfies Partial<
  Record<TaskStatus, keyof Retention>
>;

export type EndStatus = keyof typeof ENDS;

export const END_STATUSES = Object.keys(ENDS) as readonly EndStatus[];

/** Who waits for the end of a task is to see it. */
const KEPT_MS_MIN = 60_000;

/** Milliseconds; null: for ever; undefined: it is neither a time of a minute or more nor "off". */
export function readKeptFor(given: unknown): number | null | undefined {
  if (given === "off") return null;
  const ms = toMs(given);
  return ms !== undefined && ms >= KEPT_MS_MIN ? ms : undefined;
}

/** What to say of one that is none, without a full stop. */
export function tellWrongKeptFor(given: unknown, what = "tasks"): string {
  const ms = toMs(given);
  if (ms !== undefined) return `${tellGiven(given)} is too short: ${what} are kept for a minute or more`;
  return `${tellWrongDuration(given)}, or "off"`;
}

/** Of a flow's definition: what it says. */
export function readRetention(given: unknown, faults: Faults): Partial<Retention> {
  const states = Object.values(ENDS);
  if (given === undefined) return {};
  if (!isObject(given)) {
    const ms = readKeptFor(given);
    if (ms === undefined) faults.add("retention", `retention: ${tellWrongKeptFor(given)}`);
    return Object.fromEntries(states.map((state) => [state, ms]));
  }
  faults.addUnknownKeys(given, "defineFlow", { completed: ["done"], failed: ["error"], cancelled: ["canceled"] }, [
    "retention",
  ]);
  const said: { -readonly [State in keyof Retention]?: Retention[State] } = {};
  for (const state of states) {
    if (given[state] === undefined) continue;
    const ms = readKeptFor(given[state]);
    if (ms === undefined) faults.add(["retention", state], `retention: ${state}: ${tellWrongKeptFor(given[state])}`);
    else said[state] = ms;
  }
  return said;
}

/** How long tasks of a flow are kept that ended so; null: until somebody removes them. */
export function keptMsOf(
  flow: { readonly retention: Partial<Retention> } | undefined,
  status: EndStatus,
  defaults: Retention,
): number | null {
  const said = flow?.retention[ENDS[status]];
  return said === undefined ? defaults[ENDS[status]] : said;
}

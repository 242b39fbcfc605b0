import { tellGiven } from "./definition.ts";
import { TaskonautError } from "../errors.ts";
import { type Duration, toMs } from "../record/duration.ts";

/** The longest that a timer of the runtime counts, just under 25 days; a longer one would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Whole milliseconds, 0 to a hundred years. Throws flow_invalid. */
export function toMilliseconds(duration: Duration): number {
  const ms = toMs(duration);
  if (ms === undefined) throw new TaskonautError("flow_invalid", `${tellWrongDuration(duration)}.`);
  return ms;
}

/** What to say of a duration that is none, without a full stop. */
export function tellWrongDuration(given: unknown): string {
  return `${tellGiven(given)} is not a valid duration; write "30s", "5m" or "2h" (units: ms, s, m, h, d, w), or a number of milliseconds, at most 100 years`;
}

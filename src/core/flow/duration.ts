import { tellGiven } from "./definition.ts";
import { TaskonautError } from "../errors.ts";

/** `"30s"`, `"1.5h"`, `"2d"` (ms, s, m, h, d, w), or a number of milliseconds. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** About a hundred years. */
const DURATION_MS_MAX = 100 * 365.25 * UNITS.d;

/** The longest that a timer of the runtime counts, just under 25 days; a longer one would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Whole milliseconds, 0 to a hundred years. Throws flow_invalid. */
export function toMilliseconds(duration: Duration): number {
  const ms = toMs(duration);
  if (ms === undefined) throw new TaskonautError("flow_invalid", `${tellWrongDuration(duration)}.`);
  return ms;
}

/** The same; undefined for what is no duration. */
export function toMs(duration: unknown): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(typeof duration === "string" ? duration : "") ?? [];
  const ms =
    typeof duration === "number"
      ? duration
      : amount !== undefined && unit !== undefined
        ? Number(amount) * UNITS[unit as keyof typeof UNITS]
        : Number.NaN;
  return ms >= 0 && ms <= DURATION_MS_MAX ? Math.round(ms) : undefined;
}

/** What to say of a duration that is none, without a full stop. */
export function tellWrongDuration(given: unknown): string {
  return `${tellGiven(given)} is not a valid duration; write "30s", "5m" or "2h" (units: ms, s, m, h, d, w), or a number of milliseconds, at most 100 years`;
}

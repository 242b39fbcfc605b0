/** `"30s"`, `"1.5h"`, `"2d"` (ms, s, m, h, d, w), or a number of milliseconds. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** About a hundred years. */
const DURATION_MS_MAX = 100 * 365.25 * UNITS.d;

/** Whole milliseconds, 0 to a hundred years; undefined for what is no duration. */
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

// Durations for people, in the same words on a terminal and in the dashboard.

/** To the largest unit: `70 ms`, `3 s`, `12 min`, `5 h`, `4 d`. */
export function roughly(ms: number): string {
  if (ms < 1000) return `${Math.max(Math.round(ms), 0)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 2 * 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** What was set, with nothing rounded away: `15 min`, `90 min`, `36 h`, `1500 ms`. */
export function exactly(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? (["ms", 1] as const);
  return `${ms / size} ${unit}`;
}

/** How long it is until then: `in 3 min`; `now` where the time has come, nothing for what is no time. */
export function describeAhead(timestamp: string, now: number): string {
  const ms = Date.parse(timestamp) - now;
  if (Number.isNaN(ms)) return "";
  return ms <= 0 ? "now" : `in ${roughlyAhead(ms)}`;
}

/** To the nearest: what was set to 2 h a moment ago is told as `2 h`. */
export function roughlyAhead(ms: number): string {
  const half = [500, 30_000, 1_800_000, 43_200_000];
  const unit = [1000, 60_000, 3_600_000, 2 * 86_400_000].findLastIndex((start) => ms >= start);
  return roughly(ms + (half[unit] ?? 0));
}

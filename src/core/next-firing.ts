// When a schedule fires. Only this file knows cron, time zones, and the days on which clocks change.
//
// NF1. A cron expression is about the clock on the wall of its zone: minute, hour, day, month, weekday.
// NF2. A time that does not exist, because the clock is set forward over it, fires once, shifted by the gap: 02:30 is 03:30.
// NF3. A time that comes twice, because the clock is set back, fires the first time. An expression for every hour keeps its
//      rhythm: it fires in both of them.
// NF4. An interval (`every`) counts from 1970-01-01T00:00Z, whatever clocks do: all processes come to the same times.

/** When it fires. Exactly one of `cron` and `everyMs` is set. */
export interface Timing {
  readonly cron: string | null;
  readonly everyMs: number | null;
  /** A name of the tz database. */
  readonly timeZone: string;
}

/** The last time that a date can hold. */
const TIME_MAX = 8.64e15;

/** The first time after `after`, both in milliseconds since 1970; undefined: it never fires again. */
export function nextFiring({ cron, everyMs, timeZone }: Timing, after: number): number | undefined {
  if (everyMs !== null) {
    const next = (Math.floor(after / everyMs) + 1) * everyMs;
    return next <= TIME_MAX ? next : undefined;
  }
  return cron === null ? undefined : nextOfCron(cron, timeZone, after);
}

/** The first time at `from` or after it. */
export function firstFiring(timing: Timing, from: number): number | undefined {
  return nextFiring(timing, from - 1);
}

/** What is wrong with the expression, to go on after it; undefined: nothing. */
export function faultOfCron(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/);
  if (!cron.trim().startsWith("@")) {
    if (fields.length === 6 || fields.length === 7)
      return "has more than five fields: minute, hour, day, month, weekday. There are no seconds and no years; for less than a minute use every";
    if (fields.length !== 5) return "must have five fields (minute, hour, day, month, weekday), such as 30 2 * * *";
    const odd = fields.slice(2).find((field) => /[#?]|^L|L$|W$/i.test(field) && !/^[a-z]{3}/i.test(field));
    if (odd !== undefined) return `has ${odd}, which is not supported: L, W, # and ? are not`;
  }
  try {
    const first = Bun.cron.parse(cron, 0, { tz: WALL });
    return first === null ? "never fires: there is no such day" : undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid cron expression: /, "") : String(error);
    return `is not a cron expression (${why}); five fields such as 30 2 * * *, or ${AT_NAMES}`;
  }
}

const AT_NAMES = "@hourly, @daily, @weekly, @monthly or @yearly";

/** The zone's name as it is written; undefined: there is none of that name. */
export function findZone(name: string): string | undefined {
  if (/^[+-]|^$/.test(name)) return undefined;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}

/** The time on the wall of the zone: `2026-03-29T03:30:00+02:00`. */
export function wallTime(at: number, timeZone: string): string {
  return zoned(at, timeZone).toString({ timeZoneName: "never", fractionalSecondDigits: at % 1000 === 0 ? 0 : 3 });
}

/** Whether the clock of the zone is set on that day of the zone. */
export function isClockChangeDay(at: number, timeZone: string): boolean {
  const midnight = zoned(at, timeZone).startOfDay();
  return midnight.offsetNanoseconds !== midnight.add({ days: 1 }).startOfDay().offsetNanoseconds;
}

/** Where the expression is read as if there were no zones: its times are what a wall shows. */
const WALL = "UTC";

function nextOfCron(cron: string, timeZone: string, after: number): number | undefined {
  const isHourly = firesEveryHour(cron);
  // a time on the wall before that of `after` may come later: it is in a gap, or comes twice
  let wall = wallOf(after, timeZone) - shiftNear(after, timeZone) - 1;
  let best: number | undefined;
  let lastWall = Number.POSITIVE_INFINITY;
  for (;;) {
    const match = Bun.cron.parse(cron, wall, { tz: WALL });
    if (match === null) return best;
    wall = match.getTime();
    if (wall > lastWall) return best;
    for (const at of instantsOf(wall, timeZone, isHourly)) {
      if (at > after && (best === undefined || at < best)) best = at;
    }
    // one that is shifted may have been overtaken by the times after the gap
    if (best !== undefined && lastWall === Number.POSITIVE_INFINITY) lastWall = wall + shiftNear(best, timeZone);
  }
}

/** NF2, NF3. Times at which the wall shows this, or would. */
function instantsOf(wall: number, timeZone: string, isHourly: boolean): readonly number[] {
  const plain = Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO(WALL).toPlainDateTime();
  // "compatible" is NF2 and the first time of NF3
  const first = plain.toZonedDateTime(timeZone, { disambiguation: "compatible" }).epochMilliseconds;
  if (!isHourly) return [first];
  return [first, plain.toZonedDateTime(timeZone, { disambiguation: "later" }).epochMilliseconds];
}

function firesEveryHour(cron: string): boolean {
  const text = cron.trim();
  return text.toLowerCase() === "@hourly" || /^(?:\*|0-23)(?:\/1)?$/.test(text.split(/\s+/)[1] ?? "");
}

/** By how much the zone's clock is set within about a day of then: mostly 0. */
function shiftNear(at: number, timeZone: string): number {
  return Math.abs(wallOf(at + DAY_MS, timeZone) - wallOf(at - DAY_MS, timeZone) - 2 * DAY_MS);
}

/** No zone's clock was ever set by more. */
const DAY_MS = 86_400_000;

/** What the wall shows, as if it were in UTC. */
function wallOf(at: number, timeZone: string): number {
  return at + zoned(at, timeZone).offsetNanoseconds / 1_000_000;
}

function zoned(at: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
}

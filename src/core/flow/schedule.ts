// What a flow's file, a command or a request says of a schedule: checked here, and made into what is stored.

import { PRIORITY_MAX } from "../limits.ts";
import { findNearest } from "../nearest.ts";
import { faultOfCron, findZone } from "../next-firing.ts";
import { OVERLAPS, type Overlap, type ScheduleTerms } from "../record/schedule.ts";
import { isObject, tellGiven } from "./definition.ts";
import { type Duration, toMs } from "../record/duration.ts";
import { tellWrongDuration } from "./duration.ts";

/** When a flow's tasks are made by themselves. Just one of `cron` and `every` is given. */
export interface ScheduleDefinition<In = unknown> {
  /** As a flow's name; there is one schedule of the name in a database. It is recorded: a stored word is forever. */
  readonly name: string;
  /** Minute, hour, day, month, weekday, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`: `"30 2 * * *"`. */
  readonly cron?: string;
  /** From one firing to the next, counted from 1970-01-01T00:00Z: 1 s or more. */
  readonly every?: Duration;
  /** A name of the tz database (`"Europe/Berlin"`), by whose clock `cron` is read. Default: `"UTC"`. */
  readonly timeZone?: string;
  /** Of each task that it makes; the flow's contract is applied to it. Default: `{}`. */
  readonly input?: In;
  /** What a firing does while a task of its schedule has not ended. Default: `"skip"`. */
  readonly overlap?: Overlap;
  /** What is made up for of firings that nobody was there to make. Default: `"last"`. */
  readonly catchUp?: "none" | "last" | { readonly within: Duration };
  /** Each firing comes later by its own share of so long: at most a day. Default: none. */
  readonly jitter?: Duration;
  /** Of its tasks in the queue: 0 (first) to 9 (last). Default: 5. */
  readonly priority?: number;
}

/** A schedule of a flow's definition. */
export interface FlowSchedule {
  readonly name: string;
  readonly terms: OwnTerms;
  /** As it was given: the flow's contract is applied to it. */
  readonly input: unknown;
}

export type OwnTerms = Omit<ScheduleTerms, "flow_name" | "input">;

/** Words that say the same, for who has another one in mind. */
export const SCHEDULE_OPTIONS = {
  name: ["id"],
  cron: ["expression", "schedule", "pattern"],
  every: ["interval", "everyMs"],
  timeZone: ["tz", "zone"],
  input: ["payload", "args"],
  overlap: ["overlapPolicy", "concurrency"],
  catchUp: ["catchUpWindow", "backfill", "misfire"],
  jitter: ["spread", "splay"],
  priority: [],
} as const;

type ScheduleOption = keyof typeof SCHEDULE_OPTIONS;

/** Told of what is wrong with an option; the message goes on after its name. */
export type Complain = (option: ScheduleOption, message: string) => void;

/** Of what is wrong `complain` is told, and the result is of no use. */
export function readTerms(given: Readonly<Record<string, unknown>>, complain: Complain): OwnTerms {
  return {
    ...readTiming(given, complain),
    overlap: readOverlap(given["overlap"], complain),
    ...readCatchUp(given["catchUp"], complain),
    jitter_ms: readJitter(given, complain),
    priority: readPriority(given["priority"], complain),
  };
}

const EVERY_MS_MIN = 1000;
const DAY_MS = 86_400_000;
const PRIORITY = 5;

function readTiming(
  { cron, every, timeZone }: Readonly<Record<string, unknown>>,
  complain: Complain,
): Pick<OwnTerms, "cron" | "every_ms" | "time_zone"> {
  const zone = readZone(timeZone, complain);
  if ((cron === undefined) === (every === undefined)) {
    if (cron === undefined) complain("cron", 'is missing; give cron ("30 2 * * *") or every ("15m")');
    else complain("every", "contradicts cron: give one of the two");
    return { cron: null, every_ms: null, time_zone: zone };
  }
  if (every !== undefined) {
    const ms = toMs(every);
    if (ms === undefined) complain("every", tellWrongDuration(every));
    else if (ms < EVERY_MS_MIN) complain("every", `must be 1 s or more, got ${tellGiven(every)}`);
    return { cron: null, every_ms: ms ?? DAY_MS, time_zone: zone };
  }
  if (typeof cron !== "string") complain("cron", `must be a text such as "30 2 * * *", got ${tellGiven(cron)}`);
  else {
    const fault = faultOfCron(cron);
    if (fault !== undefined) complain("cron", `${tellGiven(cron)} ${fault}`);
  }
  return { cron: String(cron).trim(), every_ms: null, time_zone: zone };
}

function readZone(given: unknown, complain: Complain): string {
  if (given === undefined) return "UTC";
  const zone = typeof given === "string" ? findZone(given) : undefined;
  if (zone !== undefined) return zone;
  const near = typeof given === "string" ? nearestZone(given) : undefined;
  const hint = near === undefined ? "such as Europe/Berlin" : `; did you mean ${near}?`;
  complain(
    "timeZone",
    `must be a name of the tz database, got ${tellGiven(given)}${near === undefined ? `, ${hint}` : hint}`,
  );
  return "UTC";
}

function nearestZone(given: string): string | undefined {
  const names = Intl.supportedValuesOf("timeZone");
  const typed = given.toLowerCase();
  const city = names.find((name) => name.toLowerCase().endsWith(`/${typed.replaceAll(" ", "_")}`));
  return city ?? findNearest(typed, names);
}

function readOverlap(given: unknown, complain: Complain): Overlap {
  if (given === undefined) return "skip";
  if (OVERLAPS.includes(given as Overlap)) return given as Overlap;
  const near = typeof given === "string" ? findNearest(given.toLowerCase(), OVERLAPS) : undefined;
  complain(
    "overlap",
    `must be skip, queue, all or cancel-running, got ${tellGiven(given)}${near === undefined ? "" : `; did you mean ${near}?`}`,
  );
  return "skip";
}

function readCatchUp(given: unknown, complain: Complain): Pick<OwnTerms, "catch_up" | "catch_up_ms"> {
  if (given === undefined) return { catch_up: "last", catch_up_ms: null };
  if (given === "none" || given === "last") return { catch_up: given, catch_up_ms: null };
  if (isObject(given) && Object.keys(given).join() === "within") {
    const ms = toMs(given["within"]);
    if (ms === undefined) complain("catchUp", tellWrongDuration(given["within"]));
    return { catch_up: "within", catch_up_ms: ms ?? 0 };
  }
  complain("catchUp", `must be none, last, or { within: "2h" }, got ${tellGiven(given)}`);
  return { catch_up: "last", catch_up_ms: null };
}

function readJitter({ jitter, every }: Readonly<Record<string, unknown>>, complain: Complain): number {
  if (jitter === undefined) return 0;
  const ms = toMs(jitter);
  const most = Math.min(toMs(every) ?? DAY_MS, DAY_MS);
  if (ms === undefined) complain("jitter", tellWrongDuration(jitter));
  else if (ms > most)
    complain(
      "jitter",
      `must be at most ${every === undefined ? "a day" : "a day, and not longer than every"}, got ${tellGiven(jitter)}`,
    );
  return ms ?? 0;
}

function readPriority(given: unknown, complain: Complain): number {
  if (given === undefined) return PRIORITY;
  if (Number.isInteger(given) && (given as number) >= 0 && (given as number) <= PRIORITY_MAX) return given as number;
  complain("priority", `must be an integer from 0 (first) to ${PRIORITY_MAX} (last), got ${tellGiven(given)}`);
  return PRIORITY;
}

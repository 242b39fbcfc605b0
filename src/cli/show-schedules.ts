// Schedules for people: the table of all, one of them, and its times.

import type { BackfillTime, FiringTime, Schedule, ScheduleDetails, ScheduleSkip } from "../core/api/schedules.ts";
import { isClockChangeDay, wallTime } from "../core/next-firing.ts";
import { alignRows, type Cell, showJson, showText, wrapText } from "./cells.ts";
import type { Look } from "./look.ts";
import { type Column, drawTable } from "./table.ts";
import { describeAhead, exactly } from "../core/times.ts";
import { describeAge, showTime } from "./times.ts";

/** A firing that is overdue for so long is late: no worker makes it. */
const OVERDUE_MS = 60_000;

export function showSchedules(schedules: readonly Schedule[], look: Look): string {
  return `${drawTable(columnsOf(look.now()), schedules, look).join("\n")}\n`;
}

function columnsOf(now: number): readonly Column<Schedule>[] {
  return [
    {
      head: "SCHEDULE",
      least: 10,
      most: 40,
      show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }),
    },
    {
      head: "FLOW",
      least: 8,
      most: 30,
      goes: 2,
      show: ({ flow_name }, width) => ({ text: showText(flow_name, width) }),
    },
    { head: "WHEN", least: 12, show: (schedule, width) => ({ text: showText(tellTiming(schedule), width) }) },
    { head: "NEXT", show: (schedule) => tellNext(schedule, now) },
    {
      head: "LAST",
      goes: 1,
      show: ({ last_fired_at }) => ({ text: last_fired_at === null ? "" : describeAge(last_fired_at, now) }),
    },
    { head: "FIRED", right: true, goes: 4, show: ({ fired_count }) => ({ text: String(fired_count) }) },
    {
      head: "SKIPPED",
      right: true,
      goes: 3,
      show: ({ skipped_count }) =>
        skipped_count === 0 ? { text: "" } : { text: String(skipped_count), color: "yellow" },
    },
  ];
}

/** `30 2 * * * Europe/Berlin`, `every 15 min`. */
export function tellTiming({ cron, every_ms, time_zone }: Pick<Schedule, "cron" | "every_ms" | "time_zone">): string {
  return every_ms === null ? `${cron ?? ""} ${time_zone}` : `every ${exactly(every_ms)}`;
}

function tellNext({ next_at, due_at, paused_at, queued_at, damage }: Schedule, now: number): Cell {
  if (damage !== undefined) return { text: "DAMAGED", color: "red" };
  if (paused_at !== null) return { text: "paused", color: "yellow" };
  if (queued_at !== null) return { text: "waits", color: "cyan" };
  if (next_at === null) return { text: "never", color: "dim" };
  if (now - Date.parse(due_at ?? next_at) > OVERDUE_MS) return { text: "overdue", color: "red" };
  return { text: describeAhead(due_at ?? next_at, now) };
}

export function showSchedule(schedule: ScheduleDetails, look: Look): string {
  const now = look.now();
  const { time_zone: zone, skips } = schedule;
  const when = (at: string | null): string | undefined =>
    at === null ? undefined : `${tellWall(wallTime(Date.parse(at), zone))}  (${ahead(at, now)})`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["flow", `${schedule.flow_name}${schedule.owner === "flow" ? " (its file says the schedule)" : ""}`],
    ["when", tellTiming(schedule)],
    ["next", schedule.paused_at === null ? (when(schedule.next_at) ?? "never") : undefined],
    ["with jitter", schedule.jitter_ms === 0 ? undefined : when(schedule.due_at)],
    ["waits", schedule.queued_at === null ? undefined : `that of ${when(schedule.queued_at)}, for a task to end`],
    ["paused", schedule.paused_at === null ? undefined : `${when(schedule.paused_at)}${reasonOf(schedule)}`],
    ["last", when(schedule.last_fired_at)],
    ["last task", schedule.last_task_id ?? undefined],
    ["fired", String(schedule.fired_count)],
    ["skipped", schedule.skipped_count === 0 ? undefined : String(schedule.skipped_count)],
    ["overlap", schedule.overlap],
    ["catch up", tellCatchUp(schedule)],
    ["priority", String(schedule.priority)],
    ["input", showJson(schedule.input_payload, Math.max(look.columns - 14, 20))],
  ];
  const width = Math.max(look.columns - FACTS_AT, 20);
  const rows = facts.flatMap(([name, text = ""]) => {
    // why it fires no more is never cut off
    const shown = name === "paused" ? wrapText(text, width) : [showText(text, width)];
    return text === ""
      ? []
      : shown.map((line, at): Cell[] => [{ text: at === 0 ? name : "", color: "dim" }, { text: line }]);
  });
  const lines = [look.paint("bold", showText(schedule.name, look.columns)), ...alignRows(rows, look.paint)];
  if (skips.length > 0) lines.push("", "Skipped:", ...drawTable(SKIP_COLUMNS(zone), skips, look));
  return `${lines.join("\n")}\n`;
}

/** Names of facts take no more than this. */
const FACTS_AT = 13;

function ahead(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  return ms > 0 ? describeAhead(at, now) : describeAge(at, now);
}

function reasonOf({ pause_reason }: Schedule): string {
  return pause_reason === null ? "" : `: ${pause_reason}`;
}

function tellCatchUp({ catch_up }: Schedule): string {
  return typeof catch_up === "string" ? catch_up : `all within ${exactly(catch_up.within_ms)}`;
}

const SKIP_COLUMNS = (zone: string): readonly Column<ScheduleSkip>[] => [
  {
    head: zone.toUpperCase(),
    show: ({ from, until }) => {
      const [first, last] = [from, until].map((at) => wallTime(Date.parse(at), zone).slice(0, 16).replace("T", " "));
      return { text: first === last ? (first ?? "") : `${first} to ${last}` };
    },
  },
  { head: "TIMES", right: true, show: ({ count }) => ({ text: String(count) }) },
  { head: "WHY", least: 12, show: ({ reason }, width) => ({ text: showText(reason, width), color: "yellow" }) },
];

/** In the zone of the schedule, and in the one where this program runs, or UTC where that is the same. */
export function showTimes(times: readonly (FiringTime | BackfillTime)[], look: Look): string {
  const zone = times[0]?.time_zone ?? "UTC";
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = here === zone ? "UTC" : here;
  const columns: readonly Column<FiringTime | BackfillTime>[] = [
    { head: zone.toUpperCase(), show: ({ wall }) => ({ text: tellWall(wall), color: "bold" }) },
    { head: own.toUpperCase(), goes: 1, show: ({ at }) => ({ text: tellWall(wallTime(Date.parse(at), own)) }) },
    {
      head: "",
      show: ({ at, clock_change }) => {
        const isOwn = isClockChangeDay(Date.parse(at), own);
        if (clock_change) return { text: "clock change", color: "yellow" };
        return isOwn ? { text: "clock change here", color: "yellow" } : { text: "" };
      },
    },
    {
      head: "TASK",
      least: 8,
      show: (time, width) => tellTaskOf(time, width),
    },
  ];
  return `${drawTable(columns, times, look).join("\n")}\n`;
}

function tellTaskOf(time: FiringTime | BackfillTime, width: number): Cell {
  if (!("exists" in time)) return { text: "" };
  if (time.refused !== undefined) return { text: showText(time.refused, width), color: "yellow" };
  return time.exists ? { text: "is there", color: "dim" } : { text: "" };
}

/** `Sun 2026-03-29 03:30 +02:00` */
function tellWall(wall: string): string {
  const day = new Date(`${wall.slice(0, 10)}T00:00:00Z`).toUTCString().slice(0, 3);
  const seconds = wall.slice(16, 19);
  return `${day} ${showTime(wall.slice(0, 16))}${seconds === ":00" ? "" : seconds} ${wall.slice(wall.length - 6)}`;
}

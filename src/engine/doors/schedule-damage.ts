// Whether the row of a schedule says what no taskonaut has written.

import type { Schedule } from "../../core/api/schedules.ts";
import { TaskonautError } from "../../core/errors.ts";
import { findZone, nextFiring } from "../../core/next-firing.ts";
import type { Judged } from "../../core/record/judged.ts";
import { parseJson } from "../../core/record/json.ts";
import type { ScheduleRow } from "../../core/record/schedule.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import { timingOf } from "./schedule-row.ts";
import { toSchedule } from "./to-schedule.ts";

/** An error that names database, table and schedule; undefined where the row is sound. */
export function damageOfSchedule(row: Judged<ScheduleRow>, location: string): TaskonautError | undefined {
  const said = (what: string, cause?: unknown): TaskonautError =>
    rowDamaged({ location, table: "schedules", row: `Schedule ${row.name}`, what, cause });
  if (row.damage !== undefined) return said(row.damage);
  if (findZone(row.time_zone) === undefined) return zoneUnknown(row, location);
  try {
    parseJson(row.input);
  } catch (error) {
    return said("its input is not JSON", error);
  }
  try {
    nextFiring(timingOf(row), row.created_at);
  } catch (error) {
    return said(`no time of it can be worked out: ${messageOf(error)}`, error);
  }
  return undefined;
}

/** Another version may know the zone. */
export function zoneUnknown({ name, time_zone: zone }: ScheduleRow, location: string): TaskonautError {
  return new TaskonautError(
    "record_damaged",
    `Schedule ${name} in ${location}, table schedules, has the time zone ${JSON.stringify(zone)}, which this taskonaut does not know. Use one that knows it, or give the schedule another zone: change the flow's file, or remove it and add it again.`,
    { details: { location, table: "schedules", row: `Schedule ${name}` } },
  );
}

/** As a list has it: one damaged schedule hides no other. */
export function toListed(row: Judged<ScheduleRow>, location: string): Schedule {
  const damage = damageOfSchedule(row, location);
  return damage ? { ...toSchedule(readable(row)), damage: damage.message } : toSchedule(row);
}

/** What can be read of a damaged row: no time of it can be worked out. */
export function readable(row: ScheduleRow): ScheduleRow {
  return { ...row, input: "null", nominal_at: null };
}

/** Throws record_damaged. */
export function assertSound(row: Judged<ScheduleRow>, location: string): ScheduleRow {
  const damage = damageOfSchedule(row, location);
  if (damage) throw damage;
  return row;
}

// Whether the row of a schedule says what no taskonaut has written.

import type { TaskonautError } from "../../core/errors.ts";
import { nextFiring } from "../../core/next-firing.ts";
import { parseJson } from "../../core/record/json.ts";
import { ruleBrokenBySchedule } from "../../core/record/row-rules.ts";
import type { ScheduleRow } from "../../core/record/schedule.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { rowDamaged } from "../../store/record-damaged.ts";
import { timingOf } from "./schedule-row.ts";

/** An error that names database, table and schedule; undefined where the row is sound. */
export function damageOfSchedule(row: ScheduleRow, location: string): TaskonautError | undefined {
  const said = (what: string, cause?: unknown): TaskonautError =>
    rowDamaged({ location, table: "schedules", row: `Schedule ${row.name}`, what, cause });
  const broken = ruleBrokenBySchedule(row);
  if (broken !== undefined) return said(`it breaks the rule ${broken}`);
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

/** Throws record_damaged. */
export function assertSound(row: ScheduleRow, location: string): ScheduleRow {
  const damage = damageOfSchedule(row, location);
  if (damage) throw damage;
  return row;
}

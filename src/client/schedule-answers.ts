// What the answers of a taskonaut server about schedules look like (`answers.ts`).

import * as v from "valibot";
import type { BackfillTime, FiringTime, Schedule, ScheduleDetails } from "../core/api/schedules.ts";
import { OVERLAPS, SKIP_KINDS } from "../core/record/schedule.ts";
import type { Answer } from "./answers.ts";

const Text = v.string();
const TextOrNull = v.nullable(v.string());

const SCHEDULE = {
  name: Text,
  flow_name: Text,
  owner: v.picklist(["flow", "command"]),
  cron: TextOrNull,
  every_ms: v.nullable(v.number()),
  time_zone: Text,
  overlap: v.picklist(OVERLAPS),
  catch_up: v.union([v.picklist(["none", "last"]), v.looseObject({ within_ms: v.number() })]),
  jitter_ms: v.number(),
  priority: v.number(),
  next_at: TextOrNull,
  due_at: TextOrNull,
  queued_at: TextOrNull,
  paused_at: TextOrNull,
  pause_reason: TextOrNull,
  last_fired_at: TextOrNull,
  last_task_id: TextOrNull,
  fired_count: v.number(),
  skipped_count: v.number(),
};

export const ScheduleAnswer = v.looseObject(SCHEDULE) as unknown as Answer<Schedule>;

export const SchedulesAnswer: Answer<readonly Schedule[]> = v.array(ScheduleAnswer);

export const ScheduleDetailsAnswer = v.looseObject({
  ...SCHEDULE,
  skips: v.array(
    v.looseObject({ from: Text, until: Text, count: v.number(), kind: v.picklist(SKIP_KINDS), reason: Text }),
  ),
}) as unknown as Answer<ScheduleDetails>;

const FIRING = { at: Text, wall: Text, time_zone: Text, clock_change: v.boolean() };

export const FiringsAnswer = v.array(v.looseObject(FIRING)) as unknown as Answer<readonly FiringTime[]>;

export const BackfillAnswer = v.array(
  v.looseObject({ ...FIRING, task_id: Text, exists: v.boolean(), refused: v.exactOptional(Text) }),
) as unknown as Answer<readonly BackfillTime[]>;

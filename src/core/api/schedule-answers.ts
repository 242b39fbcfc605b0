// What a server answers about schedules (`contract.ts`).

import * as v from "valibot";
import { OVERLAPS, SKIP_KINDS } from "../record/schedule.ts";
import {
  type Answer,
  IdOrNull,
  Id,
  Payload,
  Text,
  TextOrNull,
  Time,
  TimeOrNull,
  Whole,
  WholeOrNull,
} from "./contract.ts";
import type { BackfillTime, FiringTime, Schedule, ScheduleDetails } from "./schedules.ts";

const SCHEDULE = {
  name: Text,
  flow_name: Text,
  owner: v.picklist(["flow", "command"]),
  cron: TextOrNull,
  every_ms: WholeOrNull,
  time_zone: Text,
  input_payload: Payload,
  overlap: v.picklist(OVERLAPS),
  catch_up: v.union([v.picklist(["none", "last"]), v.looseObject({ within_ms: Whole })]),
  jitter_ms: Whole,
  priority: Whole,
  next_at: TimeOrNull,
  due_at: TimeOrNull,
  queued_at: TimeOrNull,
  paused_at: TimeOrNull,
  pause_reason: TextOrNull,
  last_fired_at: TimeOrNull,
  last_task_id: IdOrNull,
  fired_count: Whole,
  skipped_count: Whole,
  created_at: Time,
  updated_at: Time,
  damage: v.exactOptional(Text),
};

export const ScheduleAnswer: Answer<Schedule> = v.looseObject(SCHEDULE);

export const SchedulesAnswer: Answer<readonly Schedule[]> = v.array(ScheduleAnswer);

export const ScheduleDetailsAnswer: Answer<ScheduleDetails> = v.looseObject({
  ...SCHEDULE,
  skips: v.array(v.looseObject({ from: Time, until: Time, count: Whole, kind: v.picklist(SKIP_KINDS), reason: Text })),
});

const FIRING = { at: Time, wall: Text, time_zone: Text, clock_change: v.boolean() };

export const FiringsAnswer: Answer<readonly FiringTime[]> = v.array(v.looseObject(FIRING));

export const BackfillAnswer: Answer<readonly BackfillTime[]> = v.array(
  v.looseObject({ ...FIRING, task_id: Id, exists: v.boolean(), refused: v.exactOptional(Text) }),
);

// Schedules for callers: reads and changes them, under the fence of each row.

import type { Backfill, Schedules } from "../../core/api/schedules.ts";
import { FIRINGS_MAX } from "../../core/api/schedules.ts";
import { type ErrorCode, hasCode, TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import { suggest } from "../../core/nearest.ts";
import { firstFiring, nextFiring } from "../../core/next-firing.ts";
import { keyedTaskId } from "../../core/record/ids.ts";
import { readInstant } from "../../core/record/instant.ts";
import type { TaskRecord } from "../../core/record/record.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import { firingKey, type ScheduleRow, type SkipRow } from "../../core/record/schedule.ts";
import type { Audited } from "../../store/audit-store.ts";
import type { Store } from "../../store/store.ts";
import { checkReason } from "../doors/audit.ts";
import { planSchedule } from "../doors/new-schedule.ts";
import { toBackfillTime, toFiringTime, toSchedule, toSkip } from "../doors/to-schedule.ts";
import { assertSound, damageOfSchedule, readable, toListed } from "../doors/schedule-damage.ts";
import { inputOfFiring, newScheduleRow, paused, resumed, timingOf } from "../doors/schedule-row.ts";
import type { QueueNotifier } from "../process/queue-notifier.ts";
import { toSoundTask } from "../task/damage.ts";
import type { DrivingTools } from "./driving-tools.ts";
import type { NewTasks } from "./new-tasks.ts";

/** How long a file's schedule belongs to the file after a worker last had it. */
export const SOURCE_STALE_MS = 120_000;

/** A schedule that fires often is written often: a change of it is tried this many times. */
const TRIES_MAX = 20;

export interface ScheduleTools extends Pick<
  DrivingTools,
  "flows" | "limits" | "clock" | "storeClock" | "log" | "audit"
> {
  readonly store: Pick<Store, "schedules" | "readTaskRow" | "location">;
  readonly newTasks: NewTasks;
  readonly notifier: Pick<QueueNotifier, "tellWorkers">;
}

export function schedulesOf(tools: ScheduleTools): Schedules {
  const { flows, limits, storeClock, log, notifier, newTasks, audit } = tools;
  const { schedules: store, location } = tools.store;

  /** Throws schedule_not_found and record_damaged. */
  async function find(name: string): Promise<ScheduleRow> {
    return assertSound(await findStored(name), location);
  }

  /** The stored row, which may be damaged. */
  async function findStored(name: string): Promise<ScheduleRow> {
    const row = await store.read(name);
    if (row !== undefined) return row;
    const flow = flowSaying(name, flows.all());
    if (flow) {
      throw notFound(name, `is in the file of flow ${flow.name}, and no worker has seen it yet. Start one`, {
        unseen: true,
      });
    }
    const near = suggest(
      name,
      (await store.list({ limit: NAMES_MAX })).map((each) => each.name),
    );
    throw notFound(name, `not found${near}`);
  }

  /** Writes the result of `change` on the current row. */
  async function change(
    name: string,
    action: "schedules pause" | "schedules resume",
    make: (row: ScheduleRow, now: number) => { readonly row: ScheduleRow; readonly skips?: readonly SkipRow[] },
    reason?: string,
  ): Promise<ScheduleRow> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const before = await find(name);
      const { row, skips = [] } = make(before, await storeClock.recent());
      const states = { before: pauseOf(before), after: pauseOf(row) };
      const audited = audit({ action, kind: "schedule", target: name, ...states, reason });
      const [isWritten] = await store.fire([{ row, tasks: [], skips, ...audited }]);
      if (isWritten === true) return row;
    }
    throw busy(name);
  }

  async function makeTask(row: ScheduleRow, at: number): Promise<TaskRecord> {
    const id = keyedTaskId(firingKey(row.name, at));
    const after = { task_id: id, at: new Date(at).toISOString() };
    const plan = {
      id,
      flow: flows.find(row.flow_name),
      input: inputOfFiring(row, at),
      now: tools.clock.now(),
      limits,
      dueAt: await storeClock.recent(),
      priority: row.priority,
      schedule: row.name,
    };
    const doing = { action: "schedules backfill", kind: "schedule", target: row.name, after } as const;
    return (await newTasks.insert(plan, audit(doing))).record;
  }

  return {
    async list({ limit, after }) {
      const rows = await store.list({ limit: limit + 1, ...(after !== undefined && { after }) });
      const next = rows.length > limit ? rows[limit - 1]?.name : undefined;
      return {
        schedules: rows.slice(0, limit).map((row) => toListed(row, location)),
        ...(next !== undefined && { next }),
      };
    },

    async get(name) {
      const row = await find(name);
      return { ...toSchedule(row), skips: (await store.readSkips(name)).map(toSkip) };
    },

    async add(schedule) {
      const flow = flows.find(schedule.flow);
      const row = planSchedule(schedule, flow, { now: await storeClock.recent(), limits });
      const doing = { action: "schedules add", kind: "schedule", target: row.name, after: termsOf(row) } as const;
      if (!(await store.insert(row, audit(doing)))) {
        throw new TaskonautError(
          "schedule_exists",
          `There is a schedule ${row.name} already. Give the new one another name, or remove the other.`,
          { details: { name: row.name } },
        );
      }
      log.info?.("schedule added", { schedule: row.name, flow: flow.name });
      notifier.tellWorkers();
      return toSchedule(row);
    },

    async pause(name, { reason }) {
      checkReason(reason);
      const row = await change(
        name,
        "schedules pause",
        (before, now) => ({ row: paused(before, reason ?? null, now) }),
        reason,
      );
      log.info?.("schedule paused", { schedule: name, ...(reason !== undefined && { reason }) });
      return toSchedule(row);
    },

    async resume(name) {
      const before = await find(name);
      if (before.paused_at === null) return toSchedule(before);
      const row = await change(name, "schedules resume", resumed);
      log.info?.("schedule resumed", { schedule: name });
      notifier.tellWorkers();
      return toSchedule(row);
    },

    async trigger(name, { idempotencyKey }) {
      const row = await find(name);
      const { flow_name: flow, priority } = row;
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      const input = inputOfFiring(row, await storeClock.recent());
      const request = { flow, input, start: "now", priority, ...key } as const;
      const triggered = (task_id: string): Audited =>
        audit({ action: "schedules trigger", kind: "schedule", target: name, after: { task_id } });
      const { record } = await newTasks.create(request, { schedule: name, audit: triggered });
      return toSoundTask(record, tools.store.location);
    },

    async remove(name) {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const stored = await findStored(name);
        if (stored.owner === "flow") await refuseOfFlow(stored);
        // a damaged schedule can be removed like any other
        const row = damageOfSchedule(stored, location) ? readable(stored) : stored;
        const doing = { action: "schedules remove", kind: "schedule", target: name, before: termsOf(row) } as const;
        if (await store.remove(name, row.version, audit(doing))) {
          log.info?.("schedule removed", { schedule: name });
          return toSchedule(row);
        }
      }
      throw busy(name);
    },

    async preview(name, { count, from }) {
      if (!Number.isInteger(count) || count < 1 || count > FIRINGS_MAX)
        throw invalid("count", `must be a whole number from 1 to ${FIRINGS_MAX}`);
      const stored = (await store.read(name)) ?? notYetSeen(name, flows.all()) ?? (await find(name));
      const row = assertSound(stored, location);
      let at = from === undefined ? await storeClock.recent() : readTime("from", from);
      const times: number[] = [];
      while (times.length < count) {
        const next = nextFiring(timingOf(row), at);
        if (next === undefined) break;
        times.push(next);
        at = next;
      }
      return times.map((each) => toFiringTime(each, row.time_zone));
    },

    async backfill(name, { from, until, dryRun }: Backfill) {
      const row = await find(name);
      const flow = flows.find(row.flow_name);
      const now = await storeClock.recent();
      const times = timesWithin(row, readTime("from", from), until === undefined ? now : readTime("until", until), now);
      const told = [];
      for (const at of times) {
        const id = keyedTaskId(firingKey(name, at));
        const exists = (await tools.store.readTaskRow(id)) !== undefined;
        const refused = exists || dryRun ? undefined : await whyRefused(() => makeTask(row, at));
        told.push({ ...toBackfillTime(row, at, exists), ...(refused !== undefined && { refused }) });
      }
      if (!dryRun) log.info?.("schedule backfilled", { schedule: name, flow: flow.name, times: told.length });
      return told;
    },
  };

  async function refuseOfFlow({ name, flow_name }: ScheduleRow): Promise<void> {
    const source = (await store.listSources()).find((each) => each.flow_name === flow_name);
    if (source === undefined || (await storeClock.recent()) - source.confirmed_at > SOURCE_STALE_MS) return;
    throw new TaskonautError(
      "schedule_of_flow",
      `Schedule ${name} is said by the file of flow ${flow_name}, which workers have: take it out there. Here it can be paused.`,
      { details: { name, flow: flow_name } },
    );
  }
}

/** The error of one time only: other times may succeed. */
const REFUSALS: readonly ErrorCode[] = ["unique_key_taken", "task_busy", "input_invalid", "flow_invalid"];

/** Undefined: its task was made. Throws errors that concern all of them. */
async function whyRefused(make: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await make();
    return undefined;
  } catch (error) {
    if (REFUSALS.some((code) => hasCode(error, code))) return messageOf(error);
    throw error;
  }
}

function pauseOf({ paused_at, pause_reason }: ScheduleRow): object {
  return { paused: paused_at !== null, ...(pause_reason !== null && { reason: pause_reason }) };
}

/** The schedule without its input, which may be large. */
function termsOf({ flow_name: flow, cron, every_ms, time_zone, overlap, catch_up, priority }: ScheduleRow): object {
  return { flow, cron, every_ms, time_zone, overlap, catch_up, priority };
}

/** The names that a name is compared with. */
const NAMES_MAX = 1000;

function flowSaying(name: string, flows: readonly Flow[]): Flow | undefined {
  return flows.find(({ schedules }) => schedules.some((each) => each.name === name));
}

/** For a schedule that a loaded file declares. */
function notYetSeen(name: string, flows: readonly Flow[]): ScheduleRow | undefined {
  const flow = flowSaying(name, flows);
  const said = flow?.schedules.find((each) => each.name === name);
  if (!flow || !said) return undefined;
  return newScheduleRow({ name, flow: flow.name, owner: "flow", terms: said.terms, input: "{}", now: 0 });
}

/** Throws input_invalid. */
function timesWithin(row: ScheduleRow, from: number, until: number, now: number): readonly number[] {
  if (from > until) throw invalid("until", "must not be before from");
  const times: number[] = [];
  let at = firstFiring(timingOf(row), from);
  while (at !== undefined && at <= Math.min(until, now)) {
    times.push(at);
    if (times.length > FIRINGS_MAX)
      throw invalid("until", `there are more than ${FIRINGS_MAX} times in between: take them in parts`);
    at = nextFiring(timingOf(row), at);
  }
  return times;
}

function readTime(path: string, text: string): number {
  const instant = readInstant(text);
  if (!instant.ok) throw invalid(path, instant.message);
  return instant.ms;
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `${path}: ${message}.`, { errors: [{ path, message }] });
}

function notFound(name: string, why: string, more: { readonly unseen?: boolean } = {}): TaskonautError {
  const message = `Schedule ${JSON.stringify(name)} ${why}${why.endsWith("?") ? "" : "."}`;
  return new TaskonautError("schedule_not_found", message, { details: { name, ...more } });
}

function busy(name: string): TaskonautError {
  return new TaskonautError("schedule_busy", `Schedule ${name} changes all the time. Try again.`, {
    details: { name },
  });
}

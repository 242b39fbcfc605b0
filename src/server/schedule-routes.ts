// The routes of schedules.

import type { Context } from "hono";
import * as v from "valibot";
import { TaskonautError, type ErrorCode, type Violation } from "../core/errors.ts";
import { PAGE_MAX, PRIORITY_MAX } from "../core/limits.ts";
import { TaskAnswer } from "../core/api/answers.ts";
import {
  BackfillAnswer,
  FiringsAnswer,
  ScheduleAnswer,
  ScheduleDetailsAnswer,
  SchedulesAnswer,
} from "../core/api/schedule-answers.ts";
import { FIRINGS_MAX, type NewSchedule, type Schedule } from "../core/api/schedules.ts";
import { type About, LINK, LOCATION, NO_BODY, NoBody } from "./about.ts";
import { readJsonBody, requireJsonBody } from "./body.ts";
import { callerOf } from "./caller.ts";
import { check, inputInvalid } from "./check.ts";
import { queryOf, violationsOf } from "./query.ts";
import { withoutPayloads } from "./without-payloads.ts";
import { param, readIdempotencyKey, type Route, type RouteOptions } from "./route.ts";

const Duration = v.union([v.string(), v.number()]);

/** The code that reads a value checks it, with the same messages as for a flow's file. */
const AddBody = v.strictObject({
  name: v.string(),
  flow: v.string(),
  cron: v.optional(v.string()),
  every: v.optional(Duration),
  time_zone: v.optional(v.string()),
  input: v.optional(v.unknown()),
  overlap: v.optional(v.string()),
  catch_up: v.optional(v.union([v.string(), v.strictObject({ within: Duration })])),
  jitter: v.optional(Duration),
  priority: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(PRIORITY_MAX))),
});

const PauseBody = v.strictObject({ reason: v.optional(v.pipe(v.string(), v.maxLength(1000))) });
const BackfillBody = v.strictObject({
  from: v.string(),
  until: v.optional(v.string()),
  dry_run: v.optional(v.boolean(), false),
});

const PAGE_PARAMETERS: readonly string[] = ["limit", "after"];
const PREVIEW_PARAMETERS: readonly string[] = ["count", "from"];
const DEFAULT_LIMIT = 100;
const DEFAULT_COUNT = 10;

export function scheduleRoutes({
  taskonaut,
  maxBodyBytes,
}: Pick<RouteOptions, "taskonaut" | "maxBodyBytes">): readonly Route[] {
  const { schedules } = taskonaut;
  const body = async (c: Context): Promise<unknown> => (await readJsonBody(c.req.raw, maxBodyBytes)) ?? {};

  async function list(c: Context): Promise<Response> {
    const { limit, after } = readQuery(c, PAGE_PARAMETERS, { limit: { otherwise: DEFAULT_LIMIT, most: PAGE_MAX } });
    const page = await schedules.list({ limit: limit ?? DEFAULT_LIMIT, ...(after !== undefined && { after }) });
    if (page.next !== undefined) {
      const query = new URLSearchParams({ limit: String(limit), after: page.next });
      c.header("Link", `<${c.req.path}?${query.toString()}>; rel="next"`);
    }
    return c.json(page.schedules.map((each) => shownTo(c, each)));
  }

  async function add(c: Context): Promise<Response> {
    const {
      time_zone: timeZone,
      catch_up: catchUp,
      ...given
    } = check(AddBody, await requireJsonBody(c.req.raw, maxBodyBytes));
    const schedule = {
      ...given,
      ...(timeZone !== undefined && { timeZone }),
      ...(catchUp !== undefined && { catchUp }),
    };
    try {
      return c.json(await schedules.add(schedule as NewSchedule), 201);
    } catch (error) {
      throw inWordsOfBody(error);
    }
  }

  async function preview(c: Context): Promise<Response> {
    const { count, from } = readQuery(c, PREVIEW_PARAMETERS, {
      count: { otherwise: DEFAULT_COUNT, most: FIRINGS_MAX },
    });
    return c.json(
      await schedules.preview(param(c, "name"), { count: count ?? DEFAULT_COUNT, ...(from !== undefined && { from }) }),
    );
  }

  async function backfill(c: Context): Promise<Response> {
    const { from, until, dry_run: dryRun } = check(BackfillBody, await body(c));
    return c.json(await schedules.backfill(param(c, "name"), { from, until, dryRun }));
  }

  async function pause(c: Context): Promise<Response> {
    const { reason } = check(PauseBody, await body(c));
    return c.json(await schedules.pause(param(c, "name"), reason === undefined ? {} : { reason }));
  }

  async function trigger(c: Context): Promise<Response> {
    check(NoBody, await body(c));
    const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
    const task = await schedules.trigger(param(c, "name"), idempotencyKey === undefined ? {} : { idempotencyKey });
    c.header("Location", `/tasks/${task.id}`);
    return c.json(callerOf(c).hidesPayloads ? withoutPayloads(task) : task, 201);
  }

  /** A route that does one thing. Its request needs no body. */
  function order(action: "resume" | "remove", about: Pick<About, "summary" | "errors" | "destroys">): Route {
    return {
      method: "POST",
      path: `/schedules/:name/${action}`,
      needs: action === "remove" ? "administer" : "operate",
      about: { ...about, ...NO_BODY, answers: { 200: ScheduleAnswer } },
      handle: async (c) => {
        check(NoBody, await body(c));
        return c.json(await schedules[action](param(c, "name")));
      },
    };
  }

  return [
    {
      method: "GET",
      path: "/schedules",
      query: PAGE_PARAMETERS,
      about: { summary: "Lists the schedules by name", answers: { 200: SchedulesAnswer }, headers: LINK },
      handle: list,
    },
    {
      method: "POST",
      path: "/schedules",
      needs: "administer",
      about: {
        summary: "Makes a schedule",
        more: "Just one of cron and every.",
        body: AddBody,
        answers: { 201: ScheduleAnswer },
        errors: ["flow_not_found", "schedule_exists"],
      },
      handle: add,
    },
    {
      method: "GET",
      path: "/schedules/:name",
      about: {
        summary: "Gives a schedule and what it skipped",
        answers: { 200: ScheduleDetailsAnswer },
        errors: UNKNOWN,
      },
      handle: async (c) => c.json(shownTo(c, await schedules.get(param(c, "name")))),
    },
    {
      method: "GET",
      path: "/schedules/:name/preview",
      query: PREVIEW_PARAMETERS,
      about: { summary: "Tells the next times of a schedule", answers: { 200: FiringsAnswer }, errors: UNKNOWN },
      handle: preview,
    },
    {
      method: "POST",
      path: "/schedules/:name/pause",
      about: {
        summary: "Pauses a schedule",
        body: PauseBody,
        isBodyOptional: true,
        answers: { 200: ScheduleAnswer },
        errors: CHANGING,
      },
      handle: pause,
    },
    order("resume", { summary: "Resumes a schedule", errors: CHANGING }),
    {
      method: "POST",
      path: "/schedules/:name/trigger",
      about: {
        summary: "Makes a task of a schedule now",
        ...NO_BODY,
        isIdempotent: true,
        answers: { 201: TaskAnswer },
        headers: LOCATION,
        errors: [...CHANGING, "flow_not_loaded", "unique_key_taken"],
      },
      handle: trigger,
    },
    {
      method: "POST",
      path: "/schedules/:name/backfill",
      about: {
        summary: "Makes the tasks of times that have passed",
        more: "With dry_run it only tells them.",
        body: BackfillBody,
        answers: { 200: BackfillAnswer },
        errors: [...CHANGING, "flow_not_loaded"],
      },
      handle: backfill,
    },
    order("remove", { summary: "Removes a schedule", errors: [...CHANGING, "schedule_of_flow"], destroys: true }),
  ];
}

const UNKNOWN: readonly ErrorCode[] = ["schedule_not_found"];
const CHANGING: readonly ErrorCode[] = [...UNKNOWN, "schedule_busy"];

/** Only callers that may see payloads see inputs. */
function shownTo<Shown extends Schedule>(c: Context, schedule: Shown): Shown {
  return callerOf(c).hidesPayloads ? { ...schedule, input_payload: null } : schedule;
}

interface Count {
  readonly otherwise: number;
  readonly most: number;
}

/** The parameters in `counts` are whole numbers, all others are texts. Throws input_invalid. */
function readQuery(
  c: Context,
  known: readonly string[],
  counts: Readonly<Record<string, Count>>,
): { readonly limit?: number; readonly count?: number; readonly after?: string; readonly from?: string } {
  const query = queryOf(c);
  const errors: Violation[] = violationsOf(query, known);
  const read: Record<string, number | string> = {};
  for (const [name, { otherwise }] of Object.entries(counts)) read[name] = otherwise;
  for (const [name, [text = ""]] of query) {
    const count = counts[name];
    const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
    if (count === undefined) read[name] = text;
    else if (number >= 1 && number <= count.most) read[name] = number;
    else {
      const message = `expected a whole number from 1 to ${count.most}, received ${JSON.stringify(text)}`;
      errors.push({ path: name, message });
    }
  }
  if (errors.length > 0) throw inputInvalid(errors);
  return read;
}

/** Some fields have other names in a body than in a flow's file. */
function inWordsOfBody(error: unknown): unknown {
  if (!(error instanceof TaskonautError) || error.errors.length === 0) return error;
  const errors = error.errors.map(({ path, message }) => ({ path: FIELDS.get(path) ?? path, message }));
  return new TaskonautError(error.code, error.message, { errors, details: error.details, cause: error });
}

const FIELDS: ReadonlyMap<string, string> = new Map([
  ["timeZone", "time_zone"],
  ["catchUp", "catch_up"],
]);

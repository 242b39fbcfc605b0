// Schedules over HTTP.

import { TaskonautError } from "../core/errors.ts";
import { isName } from "../core/flow/names.ts";
import { toJsonText } from "../core/record/json.ts";
import type { Schedules } from "../core/api/schedules.ts";
import { TaskAnswer } from "../core/api/answers.ts";
import {
  BackfillAnswer,
  FiringsAnswer,
  ScheduleAnswer,
  ScheduleDetailsAnswer,
  SchedulesAnswer,
} from "../core/api/schedule-answers.ts";
import type { Transport } from "./transport.ts";

/** `headersOf`: makes the header for an idempotency key. */
export function createSchedules(
  { ask }: Transport,
  headersOf: (idempotencyKey: string | undefined) => Record<string, string>,
): Schedules {
  return {
    async list({ limit, after }) {
      const query = new URLSearchParams({ limit: String(limit), ...(after !== undefined && { after }) });
      const { body, headers, url } = await ask({ path: `/schedules?${query.toString()}`, answer: SchedulesAnswer });
      const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(headers.get("link") ?? "")?.[1];
      const next = target === undefined ? null : URL.parse(target, url)?.searchParams.get("after");
      return { schedules: body, ...(typeof next === "string" && { next }) };
    },
    get: async (name) => (await ask({ path: pathOf(name), answer: ScheduleDetailsAnswer })).body,
    async add({ timeZone, catchUp, ...schedule }) {
      const body = { ...schedule, time_zone: timeZone, catch_up: catchUp };
      return (await ask({ ...post("/schedules", body), answer: ScheduleAnswer })).body;
    },
    pause: async (name, pause) => (await ask({ ...post(`${pathOf(name)}/pause`, pause), answer: ScheduleAnswer })).body,
    resume: async (name) => (await ask({ ...post(`${pathOf(name)}/resume`, {}), answer: ScheduleAnswer })).body,
    async trigger(name, { idempotencyKey }) {
      const request = { ...post(`${pathOf(name)}/trigger`, {}), headers: headersOf(idempotencyKey) };
      return (await ask({ ...request, answer: TaskAnswer })).body;
    },
    remove: async (name) => (await ask({ ...post(`${pathOf(name)}/remove`, {}), answer: ScheduleAnswer })).body,
    async preview(name, { count, from }) {
      const query = new URLSearchParams({ count: String(count), ...(from !== undefined && { from }) });
      return (await ask({ path: `${pathOf(name)}/preview?${query.toString()}`, answer: FiringsAnswer })).body;
    },
    async backfill(name, { from, until, dryRun }) {
      const request = post(`${pathOf(name)}/backfill`, { from, until, dry_run: dryRun });
      return (await ask({ ...request, answer: BackfillAnswer })).body;
    },
  };
}

function post(path: string, body: object): { readonly method: "POST"; readonly path: string; readonly body: string } {
  return { method: "POST", path, body: textOf(body) };
}

/** Refuses a name that no schedule can have: `..` would lead to another route. */
function pathOf(name: string): string {
  if (isName(name)) return `/schedules/${encodeURIComponent(name)}`;
  throw new TaskonautError(
    "schedule_not_found",
    `Schedule ${JSON.stringify(name)} not found: that is not a valid name.`,
  );
}

function textOf(body: object): string {
  const json = toJsonText(body);
  if (json.ok) return json.text;
  throw new TaskonautError("input_invalid", "The schedule holds what JSON cannot carry.", { errors: json.errors });
}

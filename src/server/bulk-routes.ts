// Operations on many tasks. `POST /bulk` previews one, and starts it when it gets the preview's token. `POST /purge`
// removes tasks whose retention time is over.

import type { Context } from "hono";
import * as v from "valibot";
import { BULK_ACTIONS, type BulkRequest } from "../core/api/bulk.ts";
import { EMPTY_LIST, readFilter } from "../core/api/filter-text.ts";
import type { FilterPair, TaskFilter } from "../core/api/task-filter.ts";
import type { CreatedTask } from "../core/api/create-task.ts";
import { TaskAnswer } from "../core/api/answers.ts";
import { BulkPreviewAnswer, PurgeAnswer } from "../core/api/bulk-answers.ts";
import { requirePermission } from "./authorize.ts";
import { LOCATION } from "./about.ts";
import { requireJsonBody } from "./body.ts";
import { check, inputInvalid, withEveryName } from "./check.ts";
import type { Route, RouteOptions } from "./route.ts";

const Value = v.union([v.string(), v.number(), v.boolean()]);

const Filter = v.record(v.string(), v.union([Value, v.array(Value)]));

const PurgeBody = v.strictObject({
  filter: v.optional(Filter, {}),
  dry_run: v.optional(v.boolean(), false),
  cursor: v.optional(v.string()),
});

const BulkBody = v.strictObject({
  action: v.picklist(BULK_ACTIONS),
  filter: Filter,
  signal: v.optional(v.strictObject({ name: v.string(), payload: v.optional(v.unknown()) })),
  force: v.optional(v.boolean(), false),
  token: v.optional(v.string()),
});

/** `answer`: makes the answer for a task that was just created. */
export function bulkRoutes(
  { taskonaut, maxBodyBytes }: Pick<RouteOptions, "taskonaut" | "maxBodyBytes">,
  answer: (c: Context, created: CreatedTask) => Response,
): readonly Route[] {
  const handle = async (c: Context): Promise<Response> => {
    const body = await requireJsonBody(c.req.raw, maxBodyBytes);
    const { action, filter, signal, force, token } = check(BulkBody, body);
    if (action === "delete") requirePermission(c, "administer");
    const request: BulkRequest = {
      action,
      filter: readFilterObject(withEveryName(filter, body, "filter")),
      ...(signal && { signal: { name: signal.name, payload: signal.payload ?? null } }),
      ...(force && { force }),
    };
    if (token === undefined) return c.json(await taskonaut.bulk.preview(request));
    return answer(c, await taskonaut.bulk.start({ ...request, token }));
  };
  const purge = async (c: Context): Promise<Response> => {
    const body = await requireJsonBody(c.req.raw, maxBodyBytes);
    const { filter, dry_run, cursor } = check(PurgeBody, body);
    const request = {
      filter: readFilterObject(withEveryName(filter, body, "filter")),
      isDryRun: dry_run,
      ...(cursor !== undefined && { cursor }),
    };
    return c.json(await taskonaut.bulk.purge(request));
  };
  return [
    {
      method: "POST",
      path: "/bulk",
      about: {
        summary: "Acts on all tasks that match a filter",
        more: "Without a token it only shows what it would act on, with a token. With that token it starts a task that does it. To delete tasks is for admins.",
        body: BulkBody,
        answers: { 200: v.union([BulkPreviewAnswer, TaskAnswer]), 201: TaskAnswer },
        headers: LOCATION,
        destroys: true,
      },
      handle,
    },
    {
      method: "POST",
      path: "/purge",
      about: {
        summary: "Removes tasks whose time is over, for a moment",
        more: "next is the cursor of the next call, null when all are done.",
        body: PurgeBody,
        answers: { 200: PurgeAnswer },
        destroys: true,
      },
      handle: purge,
    },
  ];
}

/** `{ "flow": "order", "status": ["FAILED"], "since": "2h", "parked": true }`. Throws input_invalid. */
function readFilterObject(given: v.InferOutput<typeof Filter>): TaskFilter {
  const empty = Object.entries(given).filter(
    ([, values]) => Array.isArray(values) && values.every((value) => value === false),
  );
  if (empty.length > 0) throw inputInvalid(empty.map(([name]) => ({ path: `filter.${name}`, message: EMPTY_LIST })));
  const pairs = Object.entries(given).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values])
      // false means that the filter is not set
      .filter((value) => value !== false)
      .map((value): FilterPair => [name, String(value)]),
  );
  const { filter, errors } = readFilter(pairs, (name) => `filter.${name}`);
  if (errors.length > 0) throw inputInvalid(errors);
  return filter;
}

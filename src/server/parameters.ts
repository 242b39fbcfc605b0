// Descriptions of query and path parameters for the OpenAPI document. Each route reads its own parameters. If one is
// missing here, making the document fails and says so.

import { REASON_HEADER } from "../core/api/audit-text.ts";
import { EVENT_KINDS } from "../core/api/events.ts";
import { FILTERS } from "../core/api/task-filter.ts";
import { WAIT_MS_MAX } from "../core/api/results.ts";
import { FIRINGS_MAX } from "../core/api/schedules.ts";
import { TRACEPARENT } from "../core/record/trace-context.ts";
import { IDEMPOTENCY_KEY_MAX, PAGE_MAX, PRIORITY_MAX } from "../core/limits.ts";
import { WAYS } from "../core/record/audit.ts";
import { NEXT } from "../core/record/status.ts";
import type { Route } from "./route.ts";

interface Parameter {
  readonly description: string;
  readonly schema: { readonly [key: string]: unknown };
}

const text = (description: string): Parameter => ({ description, schema: { type: "string" } });
const whole = (description: string, minimum: number, maximum: number): Parameter => ({
  description,
  schema: { type: "integer", minimum, maximum },
});

const OF_FILTERS: Readonly<Record<string, Parameter>> = Object.fromEntries(
  FILTERS.map(({ name, value, repeatable, summary }) => [
    name,
    {
      description: summary,
      schema: repeatable ? { type: "array", items: schemaOf(name, value) } : schemaOf(name, value),
    },
  ]),
);

function schemaOf(name: string, value: string | undefined): Parameter["schema"] {
  if (value === undefined) return { type: "string", enum: ["true"] };
  if (name === "status") return { type: "string", enum: Object.keys(NEXT) };
  return name === "priority" ? { type: "integer", minimum: 0, maximum: PRIORITY_MAX } : { type: "string" };
}

const PARAMETERS: Readonly<Record<string, Parameter>> = {
  ...OF_FILTERS,
  limit: whole("How many there are on a page", 1, PAGE_MAX),
  cursor: text("Of the next page, from the Link header of the page before"),
  after: text("The page after this name"),
  view: { description: "Without payloads", schema: { type: "string", enum: ["summary"] } },
  steps: text("Of each task only these steps, and those in doubt: a range such as 1-200, last, or none"),
  wait: text(`How long to wait for the end of the task: 500ms, 10s or 2m, at most ${WAIT_MS_MAX / 60_000}m`),
  start: text("When it is put in the queue: now, or a time (RFC 3339)"),
  expires_in: text("It is cancelled if it has not begun within this duration: 30s, 10m or 2h"),
  task: {
    description: "Of this task; may be repeated",
    schema: { type: "array", items: { type: "string", format: "uuid" } },
  },
  kind: {
    description: "Only these events; may be repeated",
    schema: { type: "array", items: { type: "string", enum: [...EVENT_KINDS] } },
  },
  "last-event-id": text(
    "What has happened since the event with this id is told first; the header of that name counts more",
  ),
  count: whole("How many times", 1, FIRINGS_MAX),
  who: text("Done by whom: a token's name, or user@host"),
  action: text("What was done, as cancel-task"),
  target: text("To what: an id or a name"),
  way: { description: "By which way", schema: { type: "string", enum: WAYS } },
  before: whole("Entries before this one", 1, Number.MAX_SAFE_INTEGER),
  from: text("From this time on (RFC 3339); by default now"),
};

/** Names that mean something else here than in a filter. */
const OF_CREATION: Readonly<Record<string, Parameter>> = {
  priority: whole("0 (first) to 9 (last) among the due tasks of its flow; by default 5", 0, PRIORITY_MAX),
  tag: {
    description: "A tag, key=value, by which the task is found; may be repeated",
    schema: { type: "array", items: { type: "string" } },
  },
};

/** The same for `GET /stats`. */
const OF_STATS: Readonly<Record<string, Parameter>> = {
  since: text("From then on: 6h (six hours ago), or a time; by default an hour ago"),
  until: text("Up to then: 1h (an hour ago), or a time; by default now"),
  flow: text("Of the tasks of this flow; by default of all"),
};

const OF_PATHS: Readonly<Record<string, Parameter>> = {
  "/tasks/:id": { description: "The id of the task", schema: { type: "string", format: "uuid" } },
  "/tasks/:id/signals/:name": text("The name of the signal"),
  "/task-ids/:name": text("The short name"),
  "/flows/:name": text("The name of the flow"),
  "/schedules/:name": text("The name of the schedule"),
  "/limits/:name": text("The name of the flow or the tool"),
  "/tokens/:token": text("The id of the token"),
};

/** As an OpenAPI parameter object. Throws if the name has no description: add it in this file. */
export function queryParameter(name: string, { method, path }: Pick<Route, "method" | "path">): object {
  const own = path === "/stats" ? OF_STATS : method === "POST" ? OF_CREATION : undefined;
  const found = own?.[name] ?? PARAMETERS[name];
  if (!found) throw new Error(`No parameter ${JSON.stringify(name)} is described in src/server/parameters.ts.`);
  return { name, in: "query", required: false, ...found };
}

/** The parameters in a route's path, as OpenAPI parameter objects. Throws like `queryParameter`. */
export function pathParameters(path: string): readonly { readonly name: string }[] {
  return [...path.matchAll(/\/:(\w+)/g)].map(({ 0: part, 1: name = "", index }) => {
    const found = OF_PATHS[path.slice(0, index + part.length)];
    if (!found) throw new Error(`What :${name} of ${path} is must be said in src/server/parameters.ts.`);
    return { name, in: "path", required: true, ...found };
  });
}

export const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Who repeats the request with the same key finds what the first one made",
  schema: { type: "string", minLength: 1, maxLength: IDEMPOTENCY_KEY_MAX },
};

export const TRACEPARENT_HEADER = {
  name: TRACEPARENT,
  in: "header",
  required: false,
  description: "W3C Trace Context: the trace that the task is in; one that cannot be read is passed over",
  schema: { type: "string" },
};

/** For routes that write to the audit log. */
export const REASON = {
  name: REASON_HEADER,
  in: "header",
  required: false,
  description: "Why, for the audit log; what is not ASCII is percent-encoded",
  schema: { type: "string", minLength: 1 },
};

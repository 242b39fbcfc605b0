// GET /events: events of tasks, as Server-Sent Events. Listeners share the batches that the stream consists of. A
// listener that does not read gets no batches, and later a `resync`.

import type { Context } from "hono";
import type { Violation } from "../core/errors.ts";
import {
  EVENT_FILTERS,
  EVENT_KINDS,
  type EventKind,
  type Listening,
  problemOfPair,
  type Told,
} from "../core/api/events.ts";
import { toEventStream } from "../core/api/event-stream.ts";
import type { FilterPair } from "../core/api/task-filter.ts";
import { suggest } from "../core/nearest.ts";
import { readWholeId } from "../core/record/task-names.ts";
import { callerOf, isStillLetIn } from "./caller.ts";
import { inputInvalid } from "./check.ts";
import { readFilterQuery, REPEATABLE_FILTERS } from "./filter-query.ts";
import { type Query, queryOf, violationsOf } from "./query.ts";
import type { Route, RouteOptions } from "./route.ts";

const LAST_ID = "last-event-id";

const PARAMETERS: readonly string[] = ["task", "kind", LAST_ID, ...EVENT_FILTERS.map(({ name }) => name)];

/** A stream can follow at most this many tasks. To follow more, listen to all. */
const TASKS_MAX = 100;

/** How often the server checks that the listener is still admitted. */
const LET_IN_MS = 10_000;

const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // for proxies that buffer an answer before they forward it
  "X-Accel-Buffering": "no",
};

export function eventRoutes({ taskonaut, onLongWait }: RouteOptions): readonly Route[] {
  async function tellEvents(c: Context): Promise<Response> {
    const asked = readEventRequest(queryOf(c), c.req.header(LAST_ID));
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
    const { flows } = callerOf(c);
    const filter = flows === null ? asked.filter : { ...asked.filter, flow: asked.filter.flow ?? flows };
    const leaving = new AbortController();
    const told = taskonaut.events.listen({ ...asked, filter, signal: leaving.signal })[Symbol.asyncIterator]();
    // a failure of the store is answered with a status, not streamed
    const first = await told.next();
    onLongWait(c.req.raw);
    const leave = (): void => {
      leaving.abort();
      told.return?.().catch(() => {}); // it has already ended
    };
    let letInAt = performance.now();
    let next: IteratorResult<readonly Told[]> | undefined = first;
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const taken = next ?? (await told.next());
            next = undefined;
            const isDue = performance.now() - letInAt >= LET_IN_MS;
            if (isDue) letInAt = performance.now();
            if (taken.done || (isDue && !(await isStillLetIn(c)))) {
              leave();
              controller.close();
            } else controller.enqueue(bytesOf(taken.value));
          } catch {
            leave();
            // without a reason: otherwise Bun prints it to stderr, past the log
            controller.error();
          }
        },
        cancel() {
          leave();
        },
      },
      { highWaterMark: 0 },
    );
    return c.body(stream, 200, HEADERS);
  }

  return [
    {
      method: "GET",
      path: "/events",
      query: PARAMETERS,
      about: {
        summary: "Tells what happens to tasks, while it happens",
        more: "The answer does not end. Each event has an id; whoever sends the last one as Last-Event-ID, in a header or in the query, is told what has happened since, or resync.",
        answers: { 200: { type: "text/event-stream", about: "Server-Sent Events" } },
      },
      handle: tellEvents,
    },
  ];
}

/** All listeners with the same filter get the same batch object. */
const texts = new WeakMap<readonly Told[], Uint8Array>();

function bytesOf(batch: readonly Told[]): Uint8Array {
  let bytes = texts.get(batch);
  if (!bytes) texts.set(batch, (bytes = new TextEncoder().encode(toEventStream(batch))));
  return bytes;
}

type EventRequest = Listening & { readonly filter: NonNullable<Listening["filter"]> };

/** Throws input_invalid with every violation. */
function readEventRequest(query: Query, lastEventId: string | undefined): EventRequest {
  const refused: Violation[] = [];
  for (const [name, values] of query) {
    for (const value of values) {
      const message = problemOfPair([name, value] satisfies FilterPair);
      if (message !== undefined) refused.push({ path: name, message });
    }
  }
  const known = [...query].filter(([name]) => !refused.some(({ path }) => path === name));
  const errors = violationsOf(new Map(known), PARAMETERS, ["task", "kind", ...REPEATABLE_FILTERS]);
  const filter = readFilterQuery(new Map(known), errors);
  errors.push(...refused);
  const kinds = query.get("kind")?.map((kind) => readKind(kind, errors));
  const tasks = query.get("task")?.map((id) => readTask(id, errors));
  if (tasks && tasks.length > TASKS_MAX) errors.push({ path: "task", message: `at most ${TASKS_MAX} of them` });
  if (errors.length > 0) throw inputInvalid(errors);
  const after = lastEventId ?? query.get(LAST_ID)?.[0];
  return {
    filter,
    ...(kinds && { kinds }),
    ...(tasks && { tasks }),
    ...(after !== undefined && after !== "" && { after }),
  };
}

function readKind(text: string, errors: Violation[]): EventKind {
  const kind = EVENT_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  const message = `expected ${EVENT_KINDS.join(", ")}, received ${JSON.stringify(text)}${suggest(text, EVENT_KINDS)}`;
  errors.push({ path: "kind", message });
  return "changed";
}

function readTask(text: string, errors: Violation[]): string {
  const id = readWholeId(text);
  if (id !== undefined) return id;
  errors.push({ path: "task", message: `expected the whole id of a task, received ${JSON.stringify(text)}` });
  return text;
}

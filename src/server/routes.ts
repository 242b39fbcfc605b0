// Every route of the API, as a table. A handler takes what came, asks the Taskonaut, and gives the resource as JSON.

import type { Context } from "hono";
import * as v from "valibot";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { MAX_STEPS_MAX } from "../core/limits.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { Task, TaskSummary } from "../core/api/task.ts";
import type { CreatedTask, CreateTask, ListTasks, SignalTask, TaskPage } from "../core/api/taskonaut.ts";
import { bulkRoutes } from "./bulk-routes.ts";
import { readJsonBody, requireJsonBody } from "./body.ts";
import { isTerminal } from "../core/record/status.ts";
import { callerOf } from "./caller.ts";
import { check } from "./check.ts";
import { FILTER_PARAMETERS } from "./filter-query.ts";
import {
  LIST_PARAMETERS,
  readCountRequest,
  readListRequest,
  readTaskRequest,
  TASK_PARAMETERS,
} from "./list-request.ts";
import { limitRoutes } from "./limit-routes.ts";
import { pauseRoutes } from "./pause-routes.ts";
import { CREATION_PARAMETERS, readCreationQuery } from "./queueing.ts";
import { queryOf } from "./query.ts";
import { forkRoutes } from "./fork-routes.ts";
import { param, readIdempotencyKey, type Route, type RouteOptions } from "./route.ts";
import { answerMetrics } from "./metrics-route.ts";
import { readResolveBody } from "./resolution.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { JSON_TYPE, type ReadPage, streamPage, streamTask, streamTasks } from "./task-stream.ts";
import { left } from "./waiting.ts";
import { tokenRoutes } from "./token-routes.ts";
import { listedWithout, withoutPayloads } from "./without-payloads.ts";

const RunBody = v.strictObject({
  max_steps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_STEPS_MAX))),
});

const CancelBody = v.strictObject({ force: v.optional(v.boolean(), false) });

/** Of an order that says everything in its path; a body that says more is not passed over. */
const NoBody = v.strictObject({});

export function routesOf(parts: RouteOptions): readonly Route[] {
  const { taskonaut, maxBodyBytes, log, version, onLongWait } = parts;

  async function createTask(c: Context, flow: string): Promise<Response> {
    const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
    const { queueing, tags, waitMs } = readCreationQuery(queryOf(c), Date.now());
    const input = await requireJsonBody(c.req.raw, maxBodyBytes);
    const request: CreateTask = {
      flow,
      input,
      ...queueing,
      ...(tags && { tags }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    if (waitMs === undefined) return created(c, await taskonaut.createTask(request));
    return unlessLeft(c, async (signal) => {
      const made = await taskonaut.results.create(request, { waitMs, signal });
      if (isTerminal(made.task.status)) return created(c, made);
      c.header("Location", `/tasks/${made.task.id}`);
      c.header("Taskonaut-Created", String(made.created));
      return answer(c, made.task, 202);
    });
  }

  /** What waits for more than its turn. A client that leaves is answered nothing. */
  async function unlessLeft(c: Context, respond: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
    const { raw } = c.req;
    onLongWait(raw);
    try {
      return await respond(raw.signal);
    } catch (error) {
      if (raw.signal.aborted) return left();
      throw error;
    }
  }

  async function signalTask(c: Context): Promise<Response> {
    const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
    const payload = (await readJsonBody(c.req.raw, maxBodyBytes)) ?? null;
    const signal: SignalTask = {
      name: param(c, "name"),
      payload,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    return answer(c, await taskonaut.signalTask(param(c, "id"), signal));
  }

  async function resolveTask(c: Context): Promise<Response> {
    const request = readResolveBody(await requireJsonBody(c.req.raw, maxBodyBytes));
    return answer(c, await taskonaut.resolveTask(param(c, "id"), request));
  }

  /** A route that does one thing to a task, whatever its request's body could say. */
  function order(name: string, carryOut: (id: string) => Promise<Task>): Route {
    const handle = async (c: Context): Promise<Response> => {
      const body = await readJsonBody(c.req.raw, maxBodyBytes);
      check(NoBody, body === undefined ? {} : body);
      onLongWait(c.req.raw);
      return answer(c, await carryOut(param(c, "id")));
    };
    return { method: "POST", path: `/tasks/:id/${name}`, handle };
  }

  async function runTask(c: Context): Promise<Response> {
    const body = await readJsonBody(c.req.raw, maxBodyBytes);
    const { max_steps } = check(RunBody, body === undefined ? {} : body);
    const options = max_steps === undefined ? {} : { maxSteps: max_steps };
    onLongWait(c.req.raw);
    return answer(c, await taskonaut.runTask(param(c, "id"), options));
  }

  async function cancelTask(c: Context): Promise<Response> {
    const body = await readJsonBody(c.req.raw, maxBodyBytes);
    const { force } = check(CancelBody, body === undefined ? {} : body);
    onLongWait(c.req.raw);
    return c.json(await taskonaut.cancelTask(param(c, "id"), { force }));
  }

  async function advanceTask(c: Context): Promise<Response> {
    onLongWait(c.req.raw);
    return answer(c, await taskonaut.advanceTask(param(c, "id")));
  }

  async function listWhole(c: Context, asked: ListTasks): Promise<TaskPage> {
    const page = await taskonaut.listTasks(asked);
    return callerOf(c).hidesPayloads ? { ...page, tasks: page.tasks.map(listedWithout) } : page;
  }

  async function listTasks(c: Context): Promise<Response> {
    const { view, isAll, request } = readListRequest(queryOf(c));
    const read: ReadPage =
      view === "summary" ? (asked) => taskonaut.listTaskSummaries(asked) : (asked) => listWhole(c, asked);
    if (isAll) return c.body(await streamTasks(read, request.filter, log), 200, JSON_TYPE);
    const page = await read(request);
    const { next } = page;
    if (next !== undefined) {
      const query = new URLSearchParams([...filterPairs(request.filter)]);
      for (const [name, value] of Object.entries({ limit: request.limit, cursor: next, view })) {
        if (value !== undefined) query.set(name, String(value));
      }
      c.header("Link", `<${c.req.path}?${query.toString()}>; rel="next"`);
    }
    return c.body(streamPage(page, log), 200, JSON_TYPE);
  }

  async function getTask(c: Context): Promise<Response> {
    const { view, waitMs } = readTaskRequest(queryOf(c));
    const id = param(c, "id");
    const { results } = taskonaut;
    if (waitMs !== undefined) {
      return unlessLeft(c, async (signal) => {
        const options = { waitMs, signal };
        return answer(
          c,
          view === "summary" ? await results.awaitSummary(id, options) : await results.await(id, options),
        );
      });
    }
    return answer(c, view === "summary" ? await taskonaut.getTaskSummary(id) : await taskonaut.getTask(id));
  }

  function answer(c: Context, whole: Task | TaskSummary, status: 200 | 201 | 202 = 200): Response {
    const task = callerOf(c).hidesPayloads ? withoutPayloads(whole) : whole;
    const stream = streamTask(task, log);
    return stream ? c.body(stream, status, JSON_TYPE) : c.json(task, status);
  }

  function created(c: Context, { task, created: isNew }: CreatedTask): Response {
    c.header("Location", `/tasks/${task.id}`);
    return answer(c, task, isNew ? 201 : 200);
  }

  const routes: readonly Route[] = [
    // the table is whole when somebody asks for it
    { method: "GET", path: "/", needs: "see", handle: async (c) => c.json(describeApi(routes, version)) },
    {
      method: "POST",
      path: "/tasks",
      needs: "create",
      query: CREATION_PARAMETERS,
      handle: (c) => createTask(c, DEFAULT_FLOW),
    },
    { method: "GET", path: "/tasks", query: LIST_PARAMETERS, handle: listTasks },
    {
      method: "GET",
      path: "/tasks/counts",
      needs: "see",
      query: FILTER_PARAMETERS,
      handle: async (c) => c.json(await taskonaut.countTasks({ filter: readCountRequest(queryOf(c)) })),
    },
    { method: "GET", path: "/tasks/:id", needs: "see", query: TASK_PARAMETERS, handle: getTask },
    {
      method: "GET",
      path: "/task-ids/:name",
      handle: async (c) => c.json(await taskonaut.findTasks(param(c, "name"))),
    },
    { method: "POST", path: "/tasks/:id/advance", handle: advanceTask },
    { method: "POST", path: "/tasks/:id/run", handle: runTask },
    { method: "POST", path: "/tasks/:id/signals/:name", handle: signalTask },
    { method: "POST", path: "/tasks/:id/resolve", handle: resolveTask },
    { method: "POST", path: "/tasks/:id/cancel", handle: cancelTask },
    ...forkRoutes(parts, created),
    order("retry", (id) => taskonaut.retryTask(id)),
    order("resume", (id) => taskonaut.resumeTask(id)),
    { method: "GET", path: "/flows", needs: "see", handle: async (c) => c.json(await taskonaut.listFlows()) },
    ...bulkRoutes({ taskonaut, maxBodyBytes }, created),
    {
      method: "GET",
      path: "/flows/:name",
      needs: "see",
      handle: async (c) => c.json(await taskonaut.describeFlow(param(c, "name"))),
    },
    {
      method: "POST",
      path: "/flows/:name/tasks",
      needs: "create",
      query: CREATION_PARAMETERS,
      handle: (c) => createTask(c, param(c, "name")),
    },
    ...pauseRoutes(parts),
    ...tokenRoutes(parts),
    ...scheduleRoutes(parts),
    ...limitRoutes(parts),
    { method: "GET", path: "/workers", handle: async (c) => c.json(await taskonaut.listWorkers()) },
    {
      method: "GET",
      path: "/metrics",
      handle: (c) => answerMetrics(c, parts.metrics),
    },
    // probes come with what their senders like
    { method: "GET", path: "/healthz", query: "ignored", handle: async (c) => c.json({ status: "alive" }) },
    {
      method: "GET",
      path: "/readyz",
      needs: "see",
      query: "ignored",
      handle: async (c) => {
        await taskonaut.checkReady();
        const pauses = await taskonaut.pauses.list();
        return c.json({ status: "ready", ...(pauses.length > 0 && { pauses }) });
      },
    },
  ];
  return routes;
}

/** What is here: nothing that a client could not find out by asking each route. */
function describeApi(routes: readonly Route[], version: string): object {
  return {
    name: "taskonaut",
    version,
    documentation: "docs/http-api.md",
    links: {
      tasks: "/tasks",
      flows: "/flows",
      schedules: "/schedules",
      workers: "/workers",
      pauses: "/pauses",
      limits: "/limits",
      alive: "/healthz",
      ready: "/readyz",
    },
    routes: routes.map(({ method, path, query }) => ({
      method,
      path: path.replaceAll(/:(\w+)/g, "{$1}"),
      query: query === "ignored" ? [] : (query ?? []),
    })),
  };
}

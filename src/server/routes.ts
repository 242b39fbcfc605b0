// All routes of the API, as a table. A handler reads the request, calls the Taskonaut, and returns JSON.

import type { Context } from "hono";
import * as v from "valibot";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { MAX_STEPS_MAX } from "../core/limits.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { Task, TaskSummary } from "../core/api/task.ts";
import type { CreatedTask } from "../core/api/create-task.ts";
import type { ListTasks, SignalTask, TaskPage } from "../core/api/taskonaut.ts";
import {
  CountsAnswer,
  FlowAnswer,
  FlowsAnswer,
  FoundAnswer,
  SummariesAnswer,
  SummaryAnswer,
  TaskAnswer,
  TasksAnswer,
  TraceAnswer,
  WorkersAnswer,
} from "../core/api/answers.ts";
import type { ErrorCode } from "../core/errors.ts";
import { type About, ANSWERS_CREATED, ANSWERS_TASK, LINK, LOCATION, NO_BODY, NoBody } from "./about.ts";
import { auditRoutes } from "./audit-routes.ts";
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
import { CREATION_PARAMETERS } from "./queueing.ts";
import { readCreation } from "./read-creation.ts";
import { pickListed, pickSteps, STEPS_PARAMETER } from "./pick-steps.ts";
import { queryOf } from "./query.ts";
import { eventRoutes } from "./event-routes.ts";
import { forkRoutes } from "./fork-routes.ts";
import { param, readIdempotencyKey, type Route, type RouteOptions } from "./route.ts";
import { ownRoutes } from "./own-routes.ts";
import { readResolveBody, ResolveBody } from "./resolution.ts";
import { scheduleRoutes } from "./schedule-routes.ts";
import { JSON_TYPE, type ReadPage, streamPage, streamTask, streamTasks, streamTrace } from "./task-stream.ts";
import { left } from "./waiting.ts";
import { statsRoutes } from "./stats-route.ts";
import { sessionRoutes } from "./session-routes.ts";
import { tokenRoutes } from "./token-routes.ts";
import { listedWithout, withoutPayloads } from "./without-payloads.ts";
import { tellingWrapped } from "./wrapped-input.ts";

const RunBody = v.strictObject({
  max_steps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_STEPS_MAX))),
});

const CancelBody = v.strictObject({ force: v.optional(v.boolean(), false) });

export function routesOf(parts: RouteOptions): readonly Route[] {
  const { taskonaut, maxBodyBytes, log, onLongWait } = parts;

  async function createTask(c: Context, flow: string): Promise<Response> {
    const { request, waitMs } = await readCreation(c, flow, maxBodyBytes);
    const { input } = request;
    if (waitMs === undefined) return created(c, await tellingWrapped(input, () => taskonaut.createTask(request)));
    return unlessLeft(c, async (signal) => {
      const made = await tellingWrapped(input, () => taskonaut.results.create(request, { waitMs, signal }));
      if (isTerminal(made.task.status)) return created(c, made);
      c.header("Location", `/tasks/${made.task.id}`);
      c.header("Taskonaut-Created", String(made.created));
      return answer(c, made.task, 202);
    });
  }

  /** For requests that may wait. A client that has left gets no answer. */
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

  /** A route that does one thing to a task. Its request needs no body. */
  function order(
    name: string,
    about: Pick<About, "summary" | "errors">,
    carryOut: (id: string) => Promise<Task>,
  ): Route {
    const handle = async (c: Context): Promise<Response> => {
      const body = await readJsonBody(c.req.raw, maxBodyBytes);
      check(NoBody, body === undefined ? {} : body);
      onLongWait(c.req.raw);
      return answer(c, await carryOut(param(c, "id")));
    };
    return {
      method: "POST",
      path: `/tasks/:id/${name}`,
      about: { ...about, ...NO_BODY, answers: ANSWERS_TASK },
      handle,
    };
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
    return answer(c, await taskonaut.cancelTask(param(c, "id"), { force }));
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
    const { view, steps, isAll, request } = readListRequest(queryOf(c));
    const read: ReadPage = async (asked) => {
      const page = view === "summary" ? await taskonaut.listTaskSummaries(asked) : await listWhole(c, asked);
      return steps === undefined ? page : pickListed(page, steps);
    };
    if (isAll) return c.body(await streamTasks(read, request.filter, log), 200, JSON_TYPE);
    const page = await read(request);
    const { next } = page;
    if (next !== undefined) {
      const query = new URLSearchParams([...filterPairs(request.filter)]);
      for (const [name, value] of Object.entries({
        limit: request.limit,
        cursor: next,
        view,
        steps: queryOf(c).get(STEPS_PARAMETER)?.[0],
      })) {
        if (value !== undefined) query.set(name, String(value));
      }
      c.header("Link", `<${c.req.path}?${query.toString()}>; rel="next"`);
    }
    return c.body(streamPage(page, log), 200, JSON_TYPE);
  }

  async function getTask(c: Context): Promise<Response> {
    const { view, steps, waitMs } = readTaskRequest(queryOf(c));
    const id = param(c, "id");
    const { results } = taskonaut;
    if (waitMs !== undefined) {
      return unlessLeft(c, async (signal) => {
        const options = { waitMs, signal };
        const task = view === "summary" ? await results.awaitSummary(id, options) : await results.await(id, options);
        return answer(c, pickSteps(task, steps));
      });
    }
    const look = { steps };
    const task = view === "summary" ? await taskonaut.getTaskSummary(id, look) : await taskonaut.getTask(id, look);
    return answer(c, pickSteps(task, steps));
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

  const creates = {
    more: "With start it is put in the queue; without it, it waits for advance or run. With wait it is run, and answered when it has ended.",
    isIdempotent: true,
    isTraced: true,
    answers: { ...ANSWERS_CREATED, 202: TaskAnswer },
    headers: { ...LOCATION, "Taskonaut-Created": "With 202: whether the task is new." },
    errors: ["idempotency_key_reused", "unique_key_taken"],
  } satisfies Partial<About>;

  const routes: readonly Route[] = [
    // the table is complete by the time of a request
    ...ownRoutes(parts, () => routes),
    {
      method: "POST",
      path: "/tasks",
      needs: "create",
      query: CREATION_PARAMETERS,
      about: { summary: `Creates a task of ${DEFAULT_FLOW}`, ...creates, body: { of: "flow" } },
      handle: (c) => createTask(c, DEFAULT_FLOW),
    },
    {
      method: "GET",
      path: "/tasks",
      query: LIST_PARAMETERS,
      about: {
        summary: "Lists tasks, newest first",
        more: "Without limit and cursor: all of them, as a stream. A task whose record cannot be read is told as damaged.",
        answers: { 200: v.union([TasksAnswer, SummariesAnswer]) },
        headers: LINK,
      },
      handle: listTasks,
    },
    {
      method: "GET",
      path: "/tasks/counts",
      needs: "see",
      query: FILTER_PARAMETERS,
      about: { summary: "Counts tasks by flow and state", answers: { 200: CountsAnswer } },
      handle: async (c) => c.json(await taskonaut.countTasks({ filter: readCountRequest(queryOf(c)) })),
    },
    {
      method: "GET",
      path: "/tasks/:id",
      needs: "see",
      query: TASK_PARAMETERS,
      about: {
        summary: "Gives a task",
        more: "With view=summary without payloads. With wait it answers when the task has ended, or the time is up.",
        answers: { 200: v.union([TaskAnswer, SummaryAnswer]) },
      },
      handle: getTask,
    },
    {
      method: "GET",
      path: "/tasks/:id/trace",
      needs: "see",
      about: {
        summary: "Gives the spans of a task",
        more: "As a collector of OpenTelemetry takes them (OTLP, JSON): of what has ended, from what is recorded.",
        answers: { 200: TraceAnswer },
      },
      async handle(c) {
        const id = param(c, "id");
        return c.body(streamTrace(await taskonaut.readTrace(id), id, log), 200, JSON_TYPE);
      },
    },
    {
      method: "GET",
      path: "/task-ids/:name",
      about: {
        summary: "Finds tasks by a short name",
        more: "The beginning of an id (4 characters or more), @last, or @last:<flow>.",
        answers: { 200: FoundAnswer },
        errors: ["task_id_invalid"],
      },
      handle: async (c) => c.json(await taskonaut.findTasks(param(c, "name"))),
    },
    {
      method: "POST",
      path: "/tasks/:id/advance",
      isUnaudited: true,
      about: { summary: "Makes one transition", answers: ANSWERS_TASK, errors: DRIVING },
      handle: advanceTask,
    },
    {
      method: "POST",
      path: "/tasks/:id/run",
      isUnaudited: true,
      about: {
        summary: "Runs a task until it ends or only waits",
        body: RunBody,
        isBodyOptional: true,
        answers: ANSWERS_TASK,
        errors: [...DRIVING, "max_steps_exhausted"],
      },
      handle: runTask,
    },
    {
      method: "POST",
      path: "/tasks/:id/signals/:name",
      about: {
        summary: "Sends a signal to a task",
        body: { of: "signal" },
        isBodyOptional: true,
        isIdempotent: true,
        answers: ANSWERS_TASK,
        errors: ["task_ended", "flow_not_loaded", "idempotency_key_reused"],
      },
      handle: signalTask,
    },
    {
      method: "POST",
      path: "/tasks/:id/resolve",
      about: {
        summary: "Settles a step in doubt",
        more: "Just one of output, retry and fail; and the step, where several are in doubt.",
        body: ResolveBody,
        answers: ANSWERS_TASK,
        errors: ["task_not_in_doubt", "flow_not_loaded", "task_ended"],
      },
      handle: resolveTask,
    },
    {
      method: "POST",
      path: "/tasks/:id/cancel",
      about: {
        summary: "Cancels a task",
        more: "Its cleanup runs. With force it ends at once, and left_undone says what was not cleaned up.",
        body: CancelBody,
        isBodyOptional: true,
        answers: ANSWERS_TASK,
        errors: ["task_parked", "task_busy", "flow_not_loaded"],
        destroys: true,
      },
      handle: cancelTask,
    },
    ...forkRoutes(parts, created),
    order("retry", { summary: "Opens the failed step again", errors: ["task_not_retryable", ...DRIVING] }, (id) =>
      taskonaut.retryTask(id),
    ),
    order("resume", { summary: "Releases a parked task", errors: DRIVING }, (id) => taskonaut.resumeTask(id)),
    ...bulkRoutes({ taskonaut, maxBodyBytes }, created),
    {
      method: "GET",
      path: "/flows",
      needs: "see",
      about: { summary: "Lists the loaded flows with their schemas", answers: { 200: FlowsAnswer } },
      handle: async (c) => c.json(await taskonaut.listFlows()),
    },
    {
      method: "GET",
      path: "/flows/:name",
      needs: "see",
      about: { summary: "Gives a flow", answers: { 200: FlowAnswer }, errors: ["flow_not_found"] },
      handle: async (c) => c.json(await taskonaut.describeFlow(param(c, "name"))),
    },
    {
      method: "POST",
      path: "/flows/:name/tasks",
      needs: "create",
      query: CREATION_PARAMETERS,
      about: {
        summary: "Creates a task of a flow",
        ...creates,
        body: { of: "flow" },
        errors: ["flow_not_found", ...creates.errors],
      },
      handle: (c) => createTask(c, param(c, "name")),
    },
    ...eventRoutes(parts),
    ...pauseRoutes(parts),
    ...tokenRoutes(parts),
    ...sessionRoutes(parts),
    ...auditRoutes(parts),
    ...scheduleRoutes(parts),
    ...limitRoutes(parts),
    ...statsRoutes(parts),
    {
      method: "GET",
      path: "/workers",
      about: { summary: "Lists the processes that take tasks or hold some", answers: { 200: WorkersAnswer } },
      handle: async (c) => c.json(await taskonaut.listWorkers()),
    },
  ];
  return routes;
}

/** Errors that can stop a caller from driving a task. */
const DRIVING: readonly ErrorCode[] = ["task_busy", "task_parked", "flow_not_loaded", "flow_paused"];

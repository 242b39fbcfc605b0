// The Taskonaut interface over HTTP: commands use a server in the same way as a local engine, and get the same errors.

import { Acting } from "../acting.ts";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { checkName } from "../core/flow/names.ts";
import { TaskonautError } from "../core/errors.ts";
import { parseTaskId } from "../core/record/ids.ts";
import { toJsonText, type JsonResult } from "../core/record/json.ts";
import { IDEMPOTENCY_KEY_MAX } from "../core/limits.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { Task } from "../core/api/task.ts";
import type { FilterPair } from "../core/api/task-filter.ts";
import { checkTraceparent } from "../core/record/trace-context.ts";
import { parseTaskName } from "../core/record/task-names.ts";
import type { CreatedTask, CreateTask, RunTask } from "../core/api/create-task.ts";
import type { ListTasks, ResolveTask, Taskonaut, TaskPage } from "../core/api/taskonaut.ts";
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
import { ReadyAnswer } from "../core/api/pause-answers.ts";
import { mayDo } from "../core/api/roles.ts";
import { SessionAnswer } from "../core/api/session-answers.ts";
import { createAudit } from "./audit.ts";
import { createPauses } from "./pauses.ts";
import { createBulk } from "./bulk.ts";
import { createEvents } from "./events.ts";
import { createForks } from "./forks.ts";
import { createLimits } from "./limits.ts";
import { type Creation, createResults } from "./results.ts";
import { createTokens } from "./tokens.ts";
import { readStatsBy } from "./stats.ts";
import { createSchedules } from "./schedules.ts";
import { createTransport, type Fetch } from "./transport.ts";

export interface ClientOptions {
  /** The server's URL, with or without a path and a trailing slash. */
  readonly baseUrl: string;
  readonly token?: string | undefined;
  readonly fetch?: Fetch | undefined;
  /** How long a request may take that does not wait for tools; by default 30 s. Driving a task has no limit. */
  readonly timeoutMs?: number | undefined;
}

/** Throws usage if baseUrl is not an http(s) URL. Every method also throws api_unreachable and unauthorized. */
export function createClient(options: ClientOptions): Taskonaut {
  const actors = new Acting();
  const transport = createTransport({ ...options, reason: () => actors.actor?.reason });
  const { ask } = transport;

  /** A request that drives the task takes as long as its tools, and as the wait for its turn. */
  async function drive(id: string, action: string, body?: string): Promise<Task> {
    const path = `/tasks/${parseTaskId(id)}/${action}`;
    const request = { method: "POST", path, patient: true, answer: TaskAnswer } as const;
    return (await ask(body === undefined ? request : { ...request, body })).body;
  }

  async function createTask(request: CreateTask): Promise<CreatedTask> {
    const { status, body } = await ask({ method: "POST", ...creationOf(request), answer: TaskAnswer });
    return { task: body, created: status === 201 };
  }

  function runTask(id: string, { maxSteps }: RunTask = {}): Promise<Task> {
    return drive(id, "run", JSON.stringify(maxSteps === undefined ? {} : { max_steps: maxSteps }));
  }

  return {
    audit: createAudit(ask, actors),
    tokens: createTokens(ask),
    bulk: createBulk({ ask }),
    results: createResults({ ask, createTask, runTask, creationOf }),
    forks: createForks({
      ask,
      headersOf,
      queryOf: ({ start, priority }) =>
        queryOf({ start, priority, tags: undefined, expiresIn: undefined, wait: undefined }),
      bodyOf: (body) => textOf("input", toJsonText(body)),
    }),
    schedules: createSchedules(transport, headersOf),
    events: createEvents(transport),

    limits: createLimits(ask),

    listFlows: async () => (await ask({ path: "/flows", answer: FlowsAnswer })).body,
    describeFlow: async (name) => (await ask({ path: flowPath(name), answer: FlowAnswer })).body,

    createTask,

    advanceTask: (id) => drive(id, "advance"),

    runTask,

    async checkMayRun() {
      // a server without tokens lets everybody do everything
      if (options.token === undefined) return;
      const { name, role } = (await ask({ path: "/session", answer: SessionAnswer })).body;
      if (!mayDo(role, "create") || mayDo(role, "operate")) return;
      const message = `Token ${JSON.stringify(name)} has the role ${role}: it may put a task in the queue, and not run it. Nothing was created.`;
      throw new TaskonautError("forbidden", message, { details: { may_enqueue: true } });
    },

    async signalTask(id, { name, payload, idempotencyKey }) {
      const { body } = await ask({
        method: "POST",
        path: `/tasks/${parseTaskId(id)}/signals/${signalSegment(name)}`,
        headers: headersOf(idempotencyKey),
        body: textOf("payload", toJsonText(payload)),
        answer: TaskAnswer,
      });
      return body;
    },

    // servers do not publish the output contracts of tools
    describeOutput: () => Promise.resolve(undefined),
    async resolveTask(id, request) {
      const { body } = await ask({
        method: "POST",
        path: `/tasks/${parseTaskId(id)}/resolve`,
        body: textOf("output", toJsonText(resolutionOf(request))),
        answer: TaskAnswer,
      });
      return body;
    },

    cancelTask: (id, { force = false } = {}) => drive(id, "cancel", force ? JSON.stringify({ force }) : undefined),
    retryTask: (id) => drive(id, "retry"),
    resumeTask: (id) => drive(id, "resume"),

    getTask: async (id) => (await ask({ path: `/tasks/${parseTaskId(id)}`, answer: TaskAnswer })).body,

    async listTasks(request) {
      const { body, headers, url } = await ask({ path: `/tasks?${listQuery(request)}`, answer: TasksAnswer });
      return { tasks: body, ...nextOf(headers, url) };
    },

    async countTasks({ filter = {} } = {}) {
      const query = new URLSearchParams([...filterPairs(filter)]).toString();
      // a search may take long
      const path = `/tasks/counts${query === "" ? "" : `?${query}`}`;
      return (await ask({ path, answer: CountsAnswer })).body;
    },

    readStats: readStatsBy(ask),

    getTaskSummary: async (id) =>
      (await ask({ path: `/tasks/${parseTaskId(id)}?view=summary`, answer: SummaryAnswer })).body,

    readTrace: async (id) => (await ask({ path: `/tasks/${parseTaskId(id)}/trace`, answer: TraceAnswer })).body,

    async listTaskSummaries(request) {
      const { body, headers, url } = await ask({
        path: `/tasks?${listQuery(request)}&view=summary`,
        answer: SummariesAnswer,
      });
      return { tasks: body, ...nextOf(headers, url) };
    },

    async findTasks(name) {
      parseTaskName(name); // an invalid name would not match a route
      return (await ask({ path: `/task-ids/${encodeURIComponent(name)}`, answer: FoundAnswer })).body;
    },

    pauses: createPauses(transport),

    listWorkers: async () => (await ask({ path: "/workers", answer: WorkersAnswer })).body,

    async checkReady() {
      await ask({ path: "/readyz", answer: ReadyAnswer });
    },

    async close() {},
  };
}

/** The request that creates the task, and how long it waits for the task's end. */
function creationOf(
  { flow, input, idempotencyKey, start, priority, expiresIn, tags, traceparent: given }: CreateTask,
  wait?: string,
): Creation {
  const traceparent = checkTraceparent(given);
  return {
    path:
      (flow === DEFAULT_FLOW ? "/tasks" : `${flowPath(flow)}/tasks`) +
      queryOf({ start, priority, expiresIn, tags, wait }),
    headers: { ...headersOf(idempotencyKey), ...(traceparent !== null && { traceparent }) },
    body: textOf("input", toJsonText(input)),
  };
}

/** Refuses a name that no flow can have: `..` would lead to another route. */
function flowPath(name: string): string {
  try {
    checkName("flow", name);
  } catch (cause) {
    throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found`, { cause });
  }
  return `/flows/${encodeURIComponent(name)}`;
}

/** Like flowPath, for the name of a signal. */
function signalSegment(name: string): string {
  try {
    checkName("signal", name);
  } catch (cause) {
    const message = `No flow takes a signal ${JSON.stringify(name)}: that is not a valid name.`;
    throw new TaskonautError("input_invalid", message, { errors: [{ path: "name", message: "no name" }], cause });
  }
  return encodeURIComponent(name);
}

/** The query for the task's place in the queue and its wait; "" if there is nothing to say. */
function queryOf({
  start,
  priority,
  tags = {},
  expiresIn,
  wait,
}: {
  readonly start: CreateTask["start"];
  readonly priority: CreateTask["priority"];
  readonly tags: CreateTask["tags"];
  readonly expiresIn: CreateTask["expiresIn"];
  readonly wait: string | undefined;
}): string {
  const query = new URLSearchParams({
    ...(start !== undefined && { start: start === "now" ? start : new Date(start).toISOString() }),
    ...(priority !== undefined && { priority: String(priority) }),
    ...(expiresIn !== undefined && { expires_in: `${expiresIn}ms` }),
    ...(wait !== undefined && { wait }),
  });
  for (const [key, value] of Object.entries(tags)) query.append("tag", `${key}=${value}`);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

/** The body for this resolution, with exactly one of its ways. */
function resolutionOf({ step, resolution }: ResolveTask): object {
  const of = step === undefined ? {} : { step };
  switch (resolution.kind) {
    case "output":
      return { ...of, output: resolution.output };
    case "retry":
      return { ...of, retry: true };
    case "fail":
      return { ...of, fail: resolution.message };
  }
}

function textOf(what: "input" | "payload" | "output", json: JsonResult): string {
  if (json.ok) return json.text;
  throw new TaskonautError("input_invalid", `The ${what} holds what JSON cannot carry.`, { errors: json.errors });
}

function headersOf(idempotencyKey: string | undefined): Record<string, string> {
  if (idempotencyKey === undefined) return {};
  const isVisible = /^(?! )[\x20-\x7e]+(?<! )$/.test(idempotencyKey);
  if (isVisible && idempotencyKey.length <= IDEMPOTENCY_KEY_MAX) return { "Idempotency-Key": idempotencyKey };
  const message = `expected 1 to ${IDEMPOTENCY_KEY_MAX} visible ASCII characters, without a space at either end`;
  throw new TaskonautError("input_invalid", `The idempotency key cannot travel in a header: ${message}.`, {
    errors: [{ path: "Idempotency-Key", message }],
  });
}

function listQuery({ limit, cursor, filter = {} }: ListTasks): string {
  const pairs: FilterPair[] = [["limit", String(limit)], ...filterPairs(filter)];
  if (cursor !== undefined) pairs.push(["cursor", cursor]);
  return new URLSearchParams(pairs).toString();
}

function nextOf(headers: Headers, url: string): Pick<TaskPage, "next"> {
  const next = cursorOf(headers.get("link"), url);
  return next === undefined ? {} : { next };
}

function cursorOf(link: string | null, url: string): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? "")?.[1];
  return target === undefined ? undefined : (URL.parse(target, url)?.searchParams.get("cursor") ?? undefined);
}

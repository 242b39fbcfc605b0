// The client for users' programs: typed with the flow types that `taskonaut types` writes.

import type { ListedTask, Task } from "../core/api/task.ts";
import type { TaskCounts } from "../core/api/task-counts.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import type { FlowDescription, Resolution } from "../core/api/taskonaut.ts";
import type { Worker } from "../core/api/worker.ts";
import { createClient as connect } from "./client.ts";

/** The types of one flow. */
export interface FlowTypes {
  readonly input: unknown;
  readonly output: unknown;
  readonly signals: object;
}

/** The types for unknown flows. */
export type AnyFlows = {
  readonly [flow: string]: { input: unknown; output: unknown; signals: Record<string, unknown> };
};

type Known<Flows> = { readonly [Name in keyof Flows]: FlowTypes };

/** A task of this flow, with the types of the flow. */
export type TaskOf<Flows extends Known<Flows>, Name extends keyof Flows> = Name extends string
  ? Omit<Task, "flow_name" | "output_payload"> & {
      readonly flow_name: Name;
      /** Null until the task is COMPLETED. */
      readonly output_payload: Flows[Name]["output"] | null;
    }
  : never;

/** A task of any of the flows: `flow_name` says which. */
export type AnyTask<Flows extends Known<Flows>> = TaskOf<Flows, keyof Flows>;

export interface ClientOptions {
  /** The server's URL: `http://127.0.0.1:8000`. */
  readonly baseUrl: string;
  /** A token of the server, if it requires one. */
  readonly token?: string;
  /** By default the runtime's own fetch. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How many milliseconds a request may take that does not wait for tools; by default 30,000. */
  readonly timeoutMs?: number;
}

export interface CreateOptions {
  /** The same key gives the same task: 1 to 255 characters. */
  readonly idempotencyKey?: string;
  /** When a worker may take the task: `"now"`, or a time. Unset: no worker takes it until `runTask`. */
  readonly start?: "now" | Date;
  /** 0 (first) to 9 (last) among the due tasks of its flow; by default 5. */
  readonly priority?: number;
  /** The task is cancelled if it has not begun within this many milliseconds: 1000 or more. */
  readonly expiresInMs?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** The `traceparent` header of the caller: the task becomes part of that trace. */
  readonly traceparent?: string;
}

/** Every method throws a TaskonautError. Its `code` says what is wrong; `api_unreachable` if no server answers. */
export interface Client<Flows extends Known<Flows>> {
  /** Creates a task. */
  createTask<Name extends keyof Flows & string>(
    flow: Name,
    input: Flows[Name]["input"],
    options?: CreateOptions,
  ): Promise<TaskOf<Flows, Name>>;
  /**
   * Creates a task, has it run, and returns it when it has ended, or as it is when the time is up: 10 minutes at most.
   */
  runFlow<Name extends keyof Flows & string>(
    flow: Name,
    input: Flows[Name]["input"],
    options?: CreateOptions & { readonly waitMs?: number; readonly signal?: AbortSignal },
  ): Promise<TaskOf<Flows, Name>>;
  getTask(id: string): Promise<AnyTask<Flows>>;
  /** Returns the task when it has ended, or as it is when the time is up: 10 minutes at most. */
  awaitTask(id: string, options?: { readonly waitMs?: number; readonly signal?: AbortSignal }): Promise<AnyTask<Flows>>;
  /** A page, newest first. `next` is the cursor of the next page. */
  listTasks(options?: {
    readonly filter?: TaskFilter;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<{ readonly tasks: readonly ListedTask[]; readonly next?: string }>;
  countTasks(filter?: TaskFilter): Promise<TaskCounts>;
  /** `task`: a task, or its id with the name of its flow. */
  sendSignal<Name extends keyof Flows & string, Signal extends keyof Flows[Name]["signals"] & string>(
    task: { readonly id: string; readonly flow_name: Name },
    signal: Signal,
    payload: Flows[Name]["signals"][Signal],
    options?: { readonly idempotencyKey?: string },
  ): Promise<TaskOf<Flows, Name>>;
  /** Runs the task until it ends or can only wait. */
  runTask(id: string, options?: { readonly maxSteps?: number }): Promise<AnyTask<Flows>>;
  cancelTask(id: string, options?: { readonly force?: boolean }): Promise<AnyTask<Flows>>;
  retryTask(id: string): Promise<AnyTask<Flows>>;
  resumeTask(id: string): Promise<AnyTask<Flows>>;
  /** Settles a step in doubt. `step`: its step_index, if there are several. */
  resolveTask(id: string, resolution: Resolution, options?: { readonly step?: number }): Promise<AnyTask<Flows>>;
  listFlows(): Promise<readonly FlowDescription[]>;
  listWorkers(): Promise<readonly Worker[]>;
}

const WAIT_MS = 60_000;
const PAGE = 100;

/**
 * A client of the server at `baseUrl`. Throws usage if that is not a valid URL.
 *
 * @example const { createTask } = createClient<Flows>({ baseUrl: "http://127.0.0.1:8000" });
 */
export function createClient<Flows extends Known<Flows> = AnyFlows>(options: ClientOptions): Client<Flows> {
  const api = connect(options);
  return {
    createTask: async (flow, input, more) => typed((await api.createTask(requestOf(flow, input, more))).task),
    async runFlow(flow, input, { waitMs = WAIT_MS, signal, ...more } = {}) {
      const waiting = { waitMs, ...(signal && { signal }) };
      return typed((await api.results.create(requestOf(flow, input, more), waiting)).task);
    },
    getTask: async (id) => typed(await api.getTask(id)),
    awaitTask: async (id, { waitMs = WAIT_MS, signal } = {}) =>
      typed(await api.results.await(id, { waitMs, ...(signal && { signal }) })),
    listTasks: ({ limit = PAGE, ...more } = {}) => api.listTasks({ limit, ...more }),
    countTasks: (filter = {}) => api.countTasks({ filter }),
    sendSignal: async ({ id }, name, payload, more) => typed(await api.signalTask(id, { name, payload, ...more })),
    runTask: async (id, more) => typed(await api.runTask(id, more)),
    cancelTask: async (id, more) => typed(await api.cancelTask(id, more)),
    retryTask: async (id) => typed(await api.retryTask(id)),
    resumeTask: async (id) => typed(await api.resumeTask(id)),
    resolveTask: async (id, resolution, more) => typed(await api.resolveTask(id, { resolution, ...more })),
    listFlows: () => api.listFlows(),
    listWorkers: () => api.listWorkers(),
  };
}

/** The caller names the flow, but the compiler cannot follow that. */
function typed(task: Task): never {
  return task as never;
}

function requestOf(
  flow: string,
  input: unknown,
  { start, expiresInMs, ...more }: CreateOptions = {},
): Parameters<ReturnType<typeof connect>["createTask"]>[0] {
  return {
    flow,
    input,
    ...more,
    ...(start !== undefined && { start: start === "now" ? start : start.getTime() }),
    ...(expiresInMs !== undefined && { expiresIn: expiresInMs }),
  };
}

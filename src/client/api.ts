// All exports of "taskonaut/client". Its type declarations are made from this file, too (`.scripts/init-assets.ts`).

export { createClient } from "./typed-client.ts";
export type { AnyFlows, AnyTask, Client, ClientOptions, CreateOptions, FlowTypes, TaskOf } from "./typed-client.ts";
export { TaskonautError } from "../core/errors.ts";
export type { ErrorCode, Violation } from "../core/errors.ts";
export type { ListedTask, Task, TaskStep, ToolCall, Waiting } from "../core/api/task.ts";
export type { TaskCounts } from "../core/api/task-counts.ts";
export type { TaskFilter } from "../core/api/task-filter.ts";
export type { FlowDescription, Resolution } from "../core/api/taskonaut.ts";
export type { Worker } from "../core/api/worker.ts";
export type { StoredError } from "../core/record/stored-error.ts";

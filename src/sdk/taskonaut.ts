// What a flow file imports as "taskonaut".

export { defineFlow } from "../core/flow.ts";
export { log, now, random, uuid } from "../core/ambient.ts";
export { DeterminismError } from "../core/determinism.ts";
export { TaskonautError } from "../core/errors.ts";
export { all, call, map, race, runChild, sleep, waitForSignal } from "../core/operation.ts";
export { ContractError, StepError } from "../core/stored-error.ts";
export { defineTool, NonRetryableError } from "../core/tool.ts";
export type { Duration } from "../core/duration.ts";
export type { Flow, PlanDefinition, RunDefinition } from "../core/flow.ts";
export type { CallOptions, Member, Operation } from "../core/operation.ts";
export type { Execution, RetryOptions, Tool, ToolContext, ToolDefinition } from "../core/tool.ts";

// What a flow file imports as "taskonaut".

export { defineFlow } from "../core/flow/flow.ts";
export { log, now, random, uuid } from "../core/flow/flow-context.ts";
export { DeterminismError } from "../core/flow/determinism.ts";
export { TaskonautError } from "../core/errors.ts";
export { all, annotate, call, map, race, runChild, sleep, waitForSignal } from "../core/flow/operation.ts";
export { ContractError, StepError } from "../core/record/stored-error.ts";
export { defineSignal } from "../core/flow/signal.ts";
export { defineTool, NonRetryableError } from "../core/flow/tool.ts";
export type { Duration } from "../core/record/duration.ts";
export type { Flow } from "../core/flow/flow.ts";
export type { PlanDefinition, RunDefinition } from "../core/flow/flow-types.ts";
export type { CallOptions, MapOptions, Member, Operation, WaitOptions } from "../core/flow/operation.ts";
export type { LimitOptions, RateOptions, ToolLimitOptions } from "../core/flow/own-limits.ts";
export type { Execution } from "../core/record/record.ts";
export type { Progress } from "../core/record/progress.ts";
export type { ScheduleDefinition } from "../core/flow/schedule.ts";
export type { Signal } from "../core/flow/signal.ts";
export type { UniqueOptions } from "../core/flow/unique.ts";
export type { RetryOptions, Tool, ToolContext, ToolDefinition } from "../core/flow/tool.ts";

// What a flow file imports as "taskonaut".

export { defineFlow } from "../core/flow.ts";
export { all, call, race } from "../core/operation.ts";
export { ContractError, StepError } from "../core/stored-error.ts";
export { defineTool, NonRetryableError } from "../core/tool.ts";
export type { Flow, FlowDefinition } from "../core/flow.ts";
export type { CallOptions, Member, Operation } from "../core/operation.ts";
export type { RetryPolicy } from "../core/retry.ts";
export type { Execution, Tool, ToolContext, ToolDefinition } from "../core/tool.ts";

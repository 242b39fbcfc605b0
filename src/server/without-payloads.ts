// Tasks for a token that hides inputs and outputs. Texts that a tool or flow has put into an error are shown.

import type { ListedTask, Task, TaskSummary, ToolCall } from "../core/api/task.ts";

export function withoutPayloads<Shown extends Task | TaskSummary>(task: Shown): Shown {
  if (!("input_payload" in task)) return task;
  const { steps, tool_calls: calls } = task;
  return {
    ...task,
    input_payload: null,
    output_payload: null,
    steps: steps.map((step) => ({
      ...step,
      input_payload: null,
      output_payload: null,
      tool_calls: step.tool_calls.map(callWithout),
    })),
    tool_calls: calls.map(callWithout),
  };
}

export function listedWithout(task: ListedTask): ListedTask {
  return "damage" in task ? task : withoutPayloads(task);
}

function callWithout(call: ToolCall): ToolCall {
  return { ...call, request_payload: null, response_payload: null };
}

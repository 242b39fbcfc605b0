// `--view summary`: tasks without payloads, as the HTTP API tells them with `?view=summary`.

import type { Task, TaskSummary } from "../core/api/task.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { readWord } from "./usage.ts";

export const VIEW_OPTION: Option = {
  name: "view",
  value: "summary",
  summary: "summary: without inputs, outputs, and the list that repeats the tool calls",
};

/** Throws usage. */
export function readView({ flags }: Pick<Call, "flags">): "summary" | undefined {
  return readWord(flags, VIEW_OPTION.name, ["summary"]);
}

/** For what is shown to a person, who sees nothing of what is left out. */
export function withoutPayloads(summary: TaskSummary): Task {
  const calls = { request_payload: null, response_payload: null };
  return {
    ...summary,
    input_payload: null,
    output_payload: null,
    tool_calls: [],
    steps: summary.steps.map((step) => ({
      ...step,
      input_payload: null,
      output_payload: null,
      tool_calls: step.tool_calls.map((call) => ({ ...call, ...calls })),
    })),
  };
}

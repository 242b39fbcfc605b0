import {
  isDamaged,
  type ListedSummary,
  type ListedTask,
  type StepSummary,
  type Task,
  type TaskSummary,
} from "./task.ts";

/** The task as `?view=summary` and `--view summary` tell it: the same fields in the same order, without payloads and copies. */
export function summarize({
  input_payload: _input,
  output_payload: _output,
  tool_calls: _copies,
  steps,
  ...task
}: Task): TaskSummary {
  return { ...task, steps: steps.map(summarizeStep) };
}

/** What is damaged stays as it is told. */
export function summarizeListed(task: ListedTask): ListedSummary {
  return isDamaged(task) ? task : summarize(task);
}

function summarizeStep({
  input_payload: _input,
  output_payload: _output,
  tool_calls,
  ...step
}: Task["steps"][number]): StepSummary {
  return {
    ...step,
    tool_calls: tool_calls.map(({ request_payload: _request, response_payload: _response, ...call }) => call),
  };
}

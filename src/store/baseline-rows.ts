// What the baselines write for one task of `echo_add`: the results of its input, without a flow or a tool.

import { bytesOfStep, bytesOfText } from "../core/record/record-size.ts";

export interface BaselineClaim {
  readonly id: string;
  /** As the claim left it. */
  readonly version: number;
  /** JSON text. */
  readonly input: string;
}

export interface BaselineStep {
  /** Both its step_index and its outcome_seq. */
  readonly index: number;
  readonly id: string;
  readonly tool: string;
  readonly request: string;
  readonly response: string;
}

/** The flow's input with its defaults, as it is recorded. */
export const INPUT = JSON.stringify({ text: "hello", a: 1, b: 2 });

/** The steps as planned for that input. */
export const STEPS = [
  { index: 1, path: "/0", tool: "echo", input: JSON.stringify({ text: "hello" }) },
  { index: 2, path: "/1", tool: "add", input: JSON.stringify({ a: 1, b: 2 }) },
] as const;

/** An id that costs nothing to make, as long as the engine's ids and as near to the task's other rows. */
export function stepIdOf(taskId: string, index: number): string {
  return `0000000${index}${taskId.slice(8)}`;
}

export function echoAddEnd({ id, input }: BaselineClaim): {
  readonly output: string;
  readonly steps: readonly BaselineStep[];
} {
  const { text, a, b } = JSON.parse(input) as { text: string; a: number; b: number };
  const echo = JSON.stringify({ text });
  const add = JSON.stringify({ sum: a + b });
  const stepOf = (index: number, tool: string, request: string, response: string): BaselineStep => {
    const stepId = stepIdOf(id, index);
    return {
      index,
      id: stepId,
      tool,
      request,
      response,
    };
  };
  return {
    output: `{"echo":${echo},"add":${add}}`,
    steps: [stepOf(1, "echo", echo, echo), stepOf(2, "add", JSON.stringify({ a, b }), add)],
  };
}

const { output: OUTPUT, steps: OUTCOMES } = echoAddEnd({ id: "", version: 1, input: INPUT });

const CREATED_BYTES = STEPS.reduce(
  (bytes, { input }) => bytes + bytesOfStep({ input_payload: input }),
  bytesOfText(INPUT),
);
const OBSERVED_BYTES = CREATED_BYTES + bytesOfText(OUTCOMES[0]?.response ?? "");

/**
 * `tasks.recorded_bytes`, the same for every task: at its creation, after the outcome of its first step, and at its
 * end.
 */
export const RECORDED_BYTES = {
  created: CREATED_BYTES,
  observed: OBSERVED_BYTES,
  ended: OBSERVED_BYTES + bytesOfText(OUTCOMES[1]?.response ?? "") + bytesOfText(OUTPUT),
} as const;

// Many APIs take `{"input": …}`, or `{"flow": …, "input": …}`, to start something. Here the body is the input itself, and
// what else is said of the task stands in the address. The error says so if a caller wraps the input.

import { hasCode, TaskonautError } from "../core/errors.ts";

/** Other words of such bodies, beside the input. */
const AROUND = /^(?:flow|flow_name|flowName|workflow|name|type|start|run|wait|priority|tags|delay|at)$/;

/** Returns the result of `make`. If the input is refused and the body seems to wrap it, the error says so. */
export async function tellingWrapped<Made>(body: unknown, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    const advice = hasCode(error, "input_invalid") ? adviceFor(body) : undefined;
    if (!hasCode(error, "input_invalid") || advice === undefined) throw error;
    const { message, errors, details } = error;
    throw new TaskonautError("input_invalid", `${message.replace(/\.$/, "")}. ${advice}`, {
      errors,
      details,
      cause: error,
    });
  }
}

function adviceFor(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const around = Object.keys(body).filter((key) => key !== "input");
  if (!("input" in body) || !around.every((key) => AROUND.test(key))) return undefined;
  const only = 'The body is the input itself: send it without "input" around';
  if (around.length === 0) return `${only}.`;
  return `${only}, to POST /flows/<flow>/tasks. What else is said of the task is in the query or a header, such as ?start=now.`;
}

// Many APIs take `{"input": …}` to start something. Here the body is the input itself, and the error says so if a
// caller wraps it.

import { hasCode, TaskonautError } from "../core/errors.ts";

/** Returns the result of `make`. If the input is refused and the body seems to wrap it, the error says so. */
export async function tellingWrapped<Made>(body: unknown, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    if (!hasCode(error, "input_invalid") || !isWrapped(body)) throw error;
    const { message, errors, details } = error;
    throw new TaskonautError(
      "input_invalid",
      `${message.replace(/\.$/, "")}. The body is the input itself: send it without "input" around.`,
      {
        errors,
        details,
        cause: error,
      },
    );
  }
}

function isWrapped(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  const [key, ...more] = Object.keys(body);
  return key === "input" && more.length === 0;
}

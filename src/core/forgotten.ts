import { TaskonautError } from "./errors.ts";

/** `names` are those of operations that a flow made and neither yielded nor gave to a group. */
export function forgottenCalls(flow: string, names: Iterable<string>): TaskonautError {
  const [first, ...others] = names;
  const made = others.length === 0 ? first : `${first} and ${others.length} more`;
  return new TaskonautError(
    "flow_invalid",
    `Flow ${flow} made ${made} and never yielded it, so it never happened: write \`yield* …\`, or give it to all, race or map.`,
  );
}

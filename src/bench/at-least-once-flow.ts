import { defineFlow } from "../core/flow/flow.ts";
import { call } from "../core/flow/operation.ts";
import type { Tool } from "../core/flow/tool.ts";
import { echoAdd } from "../flows/echo-add.ts";
import { add, echo } from "../flows/tools.ts";

/** Like `echo_add`, step by step, but the result of its first tool is durable before the second tool starts. */
export const echoAddAtLeastOnce = defineFlow({
  name: "bench_echo_add_at_least_once",
  input: echoAdd.input,
  plan: (input) => {
    const { text, a, b } = input as { text: string; a: number; b: number };
    return [call(atLeastOnce(echo), { text }), call(atLeastOnce(add), { a, b })];
  },
});

function atLeastOnce<In, Parsed, Out>(tool: Tool<In, Parsed, Out>): Tool<In, Parsed, Out> {
  return { ...tool, execution: "at-least-once" };
}

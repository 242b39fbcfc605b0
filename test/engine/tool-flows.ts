// Flows that call tools in turn, for what the engine promises about tools.

import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call } from "../../src/core/flow/operation.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Bench } from "../support/bench.ts";

/** Each call of the tool in turn, each input its number. */
export const planOf = (...tools: Tool[]): Flow =>
  defineFlow({
    name: "plan",
    input: v.object({}),
    plan: () => tools.map((tool, i) => call(tool, i + 1, { as: `step${i + 1}` })),
  });

/** The same, one decision after the other. */
export const runOf = (...tools: Tool[]): Flow =>
  defineFlow({
    name: "run",
    input: v.object({}),
    *run() {
      const outputs: unknown[] = [];
      for (const [i, tool] of tools.entries()) outputs.push(yield* call(tool, i + 1, { as: `step${i + 1}` }));
      return outputs;
    },
  });

/** A new task of the flow, PLANNED. */
export async function created(bench: Bench, flow: Flow): Promise<string> {
  const engine = await bench.openEngine({ flows: [flow] });
  return (await engine.createTask({ flow: flow.name, input: {} })).task.id;
}

// No effect before its decision (R1 of the engine's step runner), looked at from outside: whoever has only what is durable
// comes to the very same step. So the rule is checked by replay, in the moment in which an effect begins.

import type { Flow } from "../../src/core/flow/flow.ts";
import { canonicalJson } from "../../src/core/record/json.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import type { JsonText } from "../../src/core/record/record.ts";
import type { Execution } from "../../src/core/record/record.ts";
import { recover } from "../../src/engine/task/recover.ts";
import { recordOf, type StoredTask } from "./sim-database.ts";
import { simFlows } from "./sim-flows.ts";

/** What begins: a tool that is not pure is called, or a child is created (which has no guarantee). */
interface Effect {
  readonly stepId: string;
  readonly input: JsonText;
  readonly execution: Execution | null;
}

export class Decided {
  readonly #flows: ReadonlyMap<string, Flow> = new Map(simFlows(cannotAct).map((flow) => [flow.name, flow]));

  /** Why the effect does not follow from what is stored of its task; undefined: it does. */
  lack(stored: StoredTask | undefined, { stepId, input, execution }: Effect): string | undefined {
    const flow = stored && this.#flows.get(stored.task.flow_name);
    if (!flow) return "whose task is not durable";
    const step = stored.steps.get(stepId);
    if (!step) return "whose step is not durable";
    if (step.execution !== execution) return `which is recorded as ${step.execution}`;
    if (canonicalJson(step.input_payload) !== canonicalJson(input))
      return `which is recorded with ${step.input_payload}`;
    const replayed = recover(flow, recordOf(stored), DEFAULT_LIMITS.stepsPerTask);
    if (replayed.kind !== "ready") return `to which what is durable does not lead: ${replayed.reason}`;
    return replayed.decisionOf.has(stepId) ? undefined : "to which what is durable does not lead";
  }
}

function cannotAct(): never {
  throw new Error("A replay calls no tool.");
}

import type { Flow } from "../../core/flow/flow.ts";
import type { FlowCatalog } from "../../core/api/flow-catalog.ts";
import { setBound } from "../../core/flow/flow-bound.ts";
import { parseJson } from "../../core/record/json.ts";
import type { Limits } from "../../core/limits.ts";
import { planTask } from "./create.ts";
import { describeFlow } from "./describe-flow.ts";
import { boundOf } from "../process/flow-bound.ts";
import { findFlow } from "./find-flow.ts";

/** A task is planned as `createTask` does it, and thrown away. */
export function createFlowCatalog(
  flows: readonly Flow[],
  limits: Limits,
  passedOver: FlowCatalog["passedOver"] = [],
): FlowCatalog {
  if (flows.some(({ file }) => file !== undefined)) setBound(boundOf(limits.flowStuckMs));
  const byName = new Map(flows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((flow) => [flow.name, flow]));
  return {
    passedOver,
    list: () => Promise.all([...byName.values()].map(describeFlow)),
    describe: async (name) => describeFlow(findFlow(byName, name)),
    check(name, input) {
      const flow = findFlow(byName, name);
      const { record } = planTask({ id: CHECK_ID, flow, input, now: 0, limits });
      const steps = record.steps.map((step) => ({
        step_index: step.step_index,
        step_name: step.step_name,
        tool_name: step.target ?? step.step_name,
        input_payload: parseJson(step.input_payload),
      }));
      const { form } = flow.body;
      return { flow: name, form, input: parseJson(record.task.input_payload), steps: form === "plan" ? steps : null };
    },
  };
}

/** Of a task that never is. */
const CHECK_ID = "00000000-0000-0000-0000-000000000000";

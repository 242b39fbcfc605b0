import type { FlowCatalog } from "../../core/api/flow-catalog.ts";
import { applyContract } from "../../core/flow/contract.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { Limits } from "../../core/limits.ts";
import { parseJson } from "../../core/record/json.ts";
import { Flows } from "../task/flows.ts";
import { planTask } from "./create.ts";

/** Plans a task as `createTask` does, and discards it. */
export function createFlowCatalog(
  flows: readonly Flow[],
  limits: Limits,
  passedOver: FlowCatalog["passedOver"] = [],
): FlowCatalog {
  const loaded = new Flows(flows, limits);
  return {
    passedOver,
    list: () => loaded.describeAll(),
    describe: (name) => loaded.describe(name),
    check(name, input) {
      const flow = loaded.find(name);
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
    findBreaches({ flow: name, signal }, value) {
      const flow = loaded.find(name);
      const contract = signal === undefined ? flow.input : flow.signals.get(signal);
      const result = contract && applyContract(contract, value);
      return result && !result.ok ? result.errors : [];
    },
  };
}

/** Of a task that never is. */
const CHECK_ID = "00000000-0000-0000-0000-000000000000";

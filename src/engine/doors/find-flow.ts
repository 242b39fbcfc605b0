import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { TaskRecord } from "../../core/record/record.ts";

/** Throws flow_not_found. */
export function findFlow(flows: ReadonlyMap<string, Flow>, name: string): Flow {
  const flow = flows.get(name);
  if (flow) return flow;
  const known = [...flows.keys()].toSorted().join(", ");
  throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found. Known flows: ${known}.`, {
    details: { flow: name },
  });
}

/** Throws flow_not_loaded. */
export function flowOfTask(flows: ReadonlyMap<string, Flow>, { task }: Pick<TaskRecord, "task">): Flow {
  const flow = flows.get(task.flow_name);
  if (flow) return flow;
  throw new TaskonautError(
    "flow_not_loaded",
    `Task ${task.id} runs flow ${task.flow_name}, which is not loaded here. Load its file (--flows), or use the process that has it.`,
    { details: { id: task.id, flow: task.flow_name } },
  );
}

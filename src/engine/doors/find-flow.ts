import { TaskonautError } from "../../core/errors.ts";
import type { Flow } from "../../core/flow/flow.ts";

/** Throws flow_not_found. */
export function findFlow(flows: ReadonlyMap<string, Flow>, name: string): Flow {
  const flow = flows.get(name);
  if (flow) return flow;
  const known = [...flows.keys()].toSorted().join(", ");
  throw new TaskonautError("flow_not_found", `Flow ${JSON.stringify(name)} not found. Known flows: ${known}.`, {
    details: { flow: name },
  });
}

import type { FlowCatalog } from "../../core/api/flow-catalog.ts";
import type { Call } from "../command.ts";
import type { Check } from "./judge.ts";

/** By the contract of a flow's input or signal that this process has; undefined: a server tells no more than the JSON Schema. */
export async function findCheck(
  { wiring, isRemote }: Pick<Call, "wiring" | "isRemote">,
  of: Parameters<FlowCatalog["findBreaches"]>[0],
): Promise<Check | undefined> {
  if (isRemote) return undefined;
  const catalog = await wiring.openFlows();
  return (value) => catalog.findBreaches(of, value);
}

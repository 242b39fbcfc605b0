// Finds a flow by its name, without a database: on the server if one is named, else in the files and in the program.

import { withTaskonaut } from "./drive.ts";
import type { FoundFlow } from "./flow-help.ts";
import type { Wiring } from "./wiring.ts";

/** Throws flow_not_found, flow_load_failed, and errors of the connection to the server. */
export async function findFlow(
  wiring: Wiring,
  { name, isRemote }: { readonly name: string; readonly isRemote: boolean },
): Promise<FoundFlow> {
  if (isRemote) {
    const flow = await withTaskonaut({ wiring }, (taskonaut) => taskonaut.describeFlow(name));
    return { flow, check: undefined };
  }
  const catalog = await wiring.openFlows();
  return { flow: await catalog.describe(name), check: (input) => catalog.check(name, input) };
}

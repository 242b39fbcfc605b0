// Whether a command shows its task while it runs.

import type { Call } from "./command.ts";
import type { RunView } from "./live/run-view.ts";

/** Undefined where nobody watches: a program reads the data, or what is said goes into a file. */
export async function openRunView(call: Pick<Call, "io" | "look" | "env" | "isRemote">): Promise<RunView | undefined> {
  const { io, look } = call;
  if (!io.stdout.isTTY || !io.stderr.isTTY || look.style !== "readable") return undefined;
  // loaded here: a program does not pay for it
  const { RunView } = await import("./live/run-view.ts");
  return new RunView(call);
}

// Says at once that a worker drives the task already, if a server is asked: the server waits for it in silence. Without a
// server the engine says it.

import type { Taskonaut } from "../core/api/taskonaut.ts";
import { isTerminal } from "../core/record/status.ts";
import { describeDriver } from "../core/waiting.ts";
import type { Call } from "./command.ts";
import { tell } from "./print.ts";

/** Says on stderr who drives the task, and at which step it is. Only with a server, and only if somebody drives it. */
export async function tellBusy(
  call: Pick<Call, "io" | "flags" | "talk" | "isRemote">,
  taskonaut: Pick<Taskonaut, "getTaskSummary" | "listWorkers">,
  id: string,
): Promise<void> {
  if (!call.isRemote || call.flags.has("json")) return;
  try {
    const task = await taskonaut.getTaskSummary(id);
    if (task.lease_owner === null || isTerminal(task.status)) return;
    const worker = (await taskonaut.listWorkers()).find((one) => one.id === task.lease_owner);
    if (worker?.state !== "alive") return;
    const step = task.steps.find(({ status }) => status === "RUNNING");
    const since = Date.parse(step?.tool_calls.at(-1)?.started_at ?? task.updated_at);
    await tell(call, [`Waiting for task ${task.id}: ${describeDriver({ name: worker.name, step, since })}.`]);
  } catch {
    // the next request for this task reports the error
  }
}

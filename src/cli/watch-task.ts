// `get-task --watch`

import type { TaskSummary } from "../core/api/task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { isTerminal } from "../core/record/status.ts";
import type { Call } from "./command.ts";
import { toJson } from "./print.ts";
import { openRunView } from "./show-run.ts";
import { lookAgain, untilSignal } from "./watch.ts";

/** Shows the task until it ends, from summaries alone. Returns true if it has printed JSON lines. Throws cancelled. */
export async function watchTask(call: Call, taskonaut: Taskonaut, id: string): Promise<boolean> {
  if (call.look.style === "lines") {
    await untilSignal(call, (signal) => printChanges(call, signal, () => taskonaut.getTaskSummary(id)));
    return true;
  }
  await showChanges(call, taskonaut, id);
  return false;
}

/** A line for each change; nothing more where nobody reads any more. */
async function printChanges(call: Call, signal: AbortSignal, read: () => Promise<TaskSummary>): Promise<void> {
  let last = "";
  await lookAgain(call, signal, async () => {
    const summary = await read();
    const text = toJson(summary, call.look);
    const isRead = text === last || (await call.io.stdout.write(`${text}\n`));
    last = text;
    return !isRead || isTerminal(summary.status) ? "over" : undefined;
  });
}

async function showChanges(call: Call, taskonaut: Taskonaut, id: string): Promise<void> {
  const view = await openRunView(call);
  const { readBelow } = await import("./live/read-run.ts");
  try {
    await untilSignal(call, (signal) =>
      lookAgain(call, signal, async () => {
        const summary = await taskonaut.getTaskSummary(id);
        if (isTerminal(summary.status)) return "over";
        if (!view) return undefined;
        view.model.read(summary);
        await readBelow(view.model, id, taskonaut);
        view.show(id, { since: undefined });
        return undefined;
      }),
    );
    await view?.close({ keeps: false });
  } catch (error) {
    await view?.close({ keeps: true });
    throw error;
  }
}

// A command that acts on all tasks that match: it shows how many there are, asks, and does it.

import type { BulkAction, BulkPreview, BulkRequest } from "../../core/api/bulk.ts";
import { TaskonautError } from "../../core/errors.ts";
import { filterPairs } from "../../core/api/filter-text.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import type { Option } from "../option.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { FILTER_OPTIONS, readFilterOptions } from "../filter-options.ts";
import { REASON } from "../reason.ts";
import { usageError } from "../usage.ts";
import { followOperation } from "./follow-operation.ts";
import { printPreview } from "./show-preview.ts";
import { printTotals } from "./show-totals.ts";
import { countTasks, WORDS } from "./words.ts";

interface BulkCommand extends Pick<Command, "name" | "summary" | "about" | "examples"> {
  readonly action: BulkAction;
  readonly args?: Command["args"];
  readonly options?: readonly Option[];
  readonly readSignal?: (call: Call) => Promise<NonNullable<BulkRequest["signal"]>>;
}

const OPTIONS: readonly Option[] = [
  { name: "all", summary: "All tasks, where no filter is given" },
  { name: "dry-run", summary: "Only show what would be done" },
  { name: "yes", short: "y", summary: "Do it without asking" },
];

export function bulkCommand({ action, args = [], options = [], readSignal, ...command }: BulkCommand): Command {
  return {
    ...command,
    args,
    options: [...options, ...OPTIONS, ...FILTER_OPTIONS, REASON],
    takesFields: false,
    needs: "tasks",
    logLevel: "warn",

    async run(call) {
      const filter = readFilterOptions(call);
      checkScope(call, filter);
      const signal = await readSignal?.(call);
      const force = call.flags.has("force");
      const request: BulkRequest = { action, filter, ...(signal && { signal }), ...(force && { force }) };
      return withTaskonaut(call, async (taskonaut) => {
        const preview = await taskonaut.bulk.preview(request);
        const isSure = call.flags.has("yes");
        if (call.flags.has("dry-run") || preview.tasks === 0) {
          await printPreview(call, preview);
          return 0;
        }
        if (!isSure) {
          await printPreview(call, preview, call.io.stderr);
          await confirm(call, preview);
        }
        const { task } = await taskonaut.bulk.start({ ...request, token: preview.token });
        const { task: ended, totals } = await followOperation(call, taskonaut, task.id, preview.tasks);
        return printTotals(call, ended, { action, shown: preview.tasks }, totals);
      });
    },
  };
}

/** Throws usage if nothing says which tasks are meant, or if nobody can be asked. */
function checkScope({ flags, io, look }: Call, filter: TaskFilter): void {
  const isFiltered = filterPairs(filter).length > 0;
  if (flags.has("all") && isFiltered) {
    throw usageError([{ path: "--all", message: "contradicts the filters: leave one of the two out" }]);
  }
  if (!flags.has("all") && !isFiltered) {
    throw usageError([{ path: "", message: "say which tasks: give a filter such as --flow <name>, or --all" }]);
  }
  if (flags.has("dry-run") && flags.has("yes")) {
    throw usageError([{ path: "--dry-run", message: "contradicts --yes" }]);
  }
  const canAsk = io.stdinIsTTY && io.stderr.isTTY && look.style === "readable";
  if (!canAsk && !flags.has("yes") && !flags.has("dry-run")) {
    throw usageError([
      { path: "--yes", message: "is missing, and nobody can be asked here; --dry-run shows what would be done" },
    ]);
  }
}

/** Throws cancelled. */
async function confirm({ io }: Call, { action, force, tasks, more }: BulkPreview): Promise<void> {
  const clack = await import("@clack/prompts");
  const which = tasks === 1 && !more ? "this task" : `these ${countTasks(tasks, more)}`;
  const message = `${WORDS[action].act} ${which}${force ? " by force" : ""}?`;
  const answer = await clack.confirm({ ...io.openTerminal(), message, initialValue: false });
  if (answer !== true) throw new TaskonautError("cancelled", "Nothing was done.");
}

import { addPurged, type PurgedTasks, type PurgePage } from "../../core/api/purge.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import type { TaskFilter } from "../../core/api/task-filter.ts";
import { countTasks } from "../bulk/words.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { FILTER_OPTIONS, readFilterOptions } from "../filter-options.ts";
import { tell, toJson } from "../print.ts";
import { REASON } from "../reason.ts";
import { drawTable } from "../table.ts";

export const purge: Command = {
  name: "purge",
  summary: "Remove tasks now whose time is over",
  about:
    "It removes what workers remove by themselves: tasks that ended longer ago than they are kept. Filters leave out others. What is to go earlier is a matter of `taskonaut delete-tasks`.",
  args: [],
  options: [{ name: "dry-run", summary: "Only count" }, ...FILTER_OPTIONS, REASON],
  takesFields: false,
  needs: "tasks",
  logLevel: "warn",
  examples: ["purge --dry-run", "purge", "purge --flow echo_add --status COMPLETED"],

  async run(call) {
    const filter = readFilterOptions(call);
    const isDryRun = call.flags.has("dry-run");
    return withTaskonaut(call, async (taskonaut) => {
      const { removed, notLoaded } = await purgeAll(taskonaut, filter, isDryRun);
      await print(call, removed, isDryRun, notLoaded);
      return 0;
    });
  },
};

async function purgeAll(
  taskonaut: Taskonaut,
  filter: TaskFilter,
  isDryRun: boolean,
): Promise<{ readonly removed: readonly PurgedTasks[]; readonly notLoaded: readonly string[] }> {
  let removed: readonly PurgedTasks[] = [];
  let notLoaded: readonly string[] = [];
  let cursor: string | null = null;
  do {
    const page: PurgePage = await taskonaut.bulk.purge({ filter, isDryRun, ...(cursor !== null && { cursor }) });
    removed = addPurged(removed, page.removed);
    if (cursor === null) notLoaded = page.not_loaded;
    cursor = page.next;
  } while (cursor !== null);
  return { removed, notLoaded };
}

async function print(
  call: Call,
  removed: readonly PurgedTasks[],
  isDryRun: boolean,
  notLoaded: readonly string[],
): Promise<void> {
  const { io, look } = call;
  if (look.style !== "readable") {
    await io.stdout.write(`${toJson({ removed, dry_run: isDryRun, not_loaded: notLoaded }, look)}\n`);
    return;
  }
  const count = removed.reduce((sum, { tasks }) => sum + tasks, 0);
  const is = count === 1 ? "was" : "were";
  const what = isDryRun ? `${countTasks(count)} would be removed.` : `${countTasks(count)} ${is} removed.`;
  const table =
    removed.length === 0
      ? []
      : drawTable<PurgedTasks>(
          [
            {
              head: "FLOW",
              least: 8,
              most: 40,
              show: ({ flow_name }, width) => ({ text: showText(flow_name, width) }),
            },
            { head: "STATUS", show: ({ status }) => ({ text: status }) },
            { head: "TASKS", right: true, show: ({ tasks }) => ({ text: tasks.toLocaleString("en") }) },
          ],
          removed,
          look,
        );
  await io.stdout.write(`${[what, ...table].join("\n")}\n`);
  if (notLoaded.length === 0) return;
  const names = notLoaded.map((name) => showText(name, 100)).join(", ");
  await tell(call, [
    `Tasks of flows that are not loaded here were left alone: ${names}. Load their files, or name them with --flow: then the defaults hold.`,
  ]);
}

// What an operation would act on: how many tasks, and the newest of them.

import type { BulkPreview } from "../../core/api/bulk.ts";
import type { TaskBrief } from "../../core/api/task.ts";
import { showText } from "../cells.ts";
import type { Call } from "../command.ts";
import type { Output } from "../io.ts";
import { toJson } from "../print.ts";
import { idColumnOf, showId } from "../short-ids.ts";
import { standingOfBrief } from "../standing.ts";
import { type Column, drawTable } from "../table.ts";
import { describeAge } from "../times.ts";
import { wrapWords } from "../wrap-words.ts";
import { countTasks, WORDS } from "./words.ts";

export async function printPreview(
  { io, look }: Pick<Call, "io" | "look">,
  preview: BulkPreview,
  to: Output = io.stdout,
): Promise<void> {
  if (look.style !== "readable") await io.stdout.write(`${toJson(preview, look)}\n`);
  else await to.write(`${linesOf(preview, look, to).join("\n")}\n`);
}

const BY_FORCE = "By force they end at once: their flows clean up nothing, and each task tells what is left undone.";

function linesOf(
  { action, force, tasks, more, sample }: BulkPreview,
  look: Call["look"],
  to: Pick<Output, "isTTY" | "columns">,
): readonly string[] {
  if (tasks === 0) return [`No ${WORDS[action].which} matches.`];
  const head = `${countTasks(tasks, more)} ${tasks === 1 && !more ? "matches" : "match"}`;
  const which = sample.length < tasks || more ? `; the newest ${sample.length}` : "";
  return [
    `${head}${which}:`.replace(/^./, (letter) => letter.toUpperCase()),
    ...drawTable(columnsOf(sample, look.now()), sample, look),
    ...(force ? [wrapWords(BY_FORCE, to)] : []),
  ];
}

function columnsOf(sample: readonly TaskBrief[], now: number): readonly Column<TaskBrief>[] {
  return [
    { ...idColumnOf(sample.map(({ id }) => id)), head: "TASK", show: ({ id }, width) => ({ text: showId(id, width) }) },
    {
      head: "STATUS",
      least: 9,
      show: (task) => standingOfBrief(task),
    },
    {
      head: "FLOW",
      least: 8,
      most: 40,
      goes: 1,
      show: ({ flow_name }, width) => ({ text: showText(flow_name, width) }),
    },
    { head: "CREATED", goes: 2, show: ({ created_at }) => ({ text: describeAge(created_at, now) }) },
  ];
}

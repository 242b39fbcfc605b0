// What a program is made for, as the task's row says it.

import type { ProgramTask } from "../../core/flow/program.ts";
import { readOrigin } from "../../core/record/origin.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { readTags, type Tags, toTagsText } from "../../core/record/tags.ts";

/** A task that was forked draws from what the first one drew from: what is shared has to come out the same. */
export function programTaskOf(task: TaskRow, stepsMax: number): ProgramTask {
  const origin = readOrigin(task.origin);
  return {
    id: origin?.seed_id ?? task.id,
    input: task.input_payload,
    createdAt: origin?.began_at ?? task.created_at,
    stepsMax,
    ...((task.given_tags ?? task.tags) !== null && { tags: readTags(task.given_tags ?? task.tags) }),
  };
}

/** The columns of a task whose flow has set tags: these are all of them. */
export function retagged(
  { tags, given_tags }: Pick<TaskRow, "tags" | "given_tags">,
  now: Tags,
): Pick<TaskRow, "tags" | "given_tags"> {
  return { tags: toTagsText(now), given_tags: given_tags ?? tags ?? "{}" };
}

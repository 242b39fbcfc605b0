// The facts about a task that its program needs, from the task's row.

import type { ProgramTask } from "../../core/flow/program.ts";
import { readOrigin } from "../../core/record/origin.ts";
import type { TaskRow } from "../../core/record/record.ts";
import { readTags, type Tags, toTagsText } from "../../core/record/tags.ts";

/** A forked task draws from the same source as its original: the shared part has to come out the same. */
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

/** The columns of a task after its flow has set tags: the complete new tags. */
export function retagged(
  { tags, given_tags }: Pick<TaskRow, "tags" | "given_tags">,
  now: Tags,
): Pick<TaskRow, "tags" | "given_tags"> {
  return { tags: toTagsText(now), given_tags: given_tags ?? tags ?? "{}" };
}

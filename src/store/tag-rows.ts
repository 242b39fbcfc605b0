// Tags of tasks as rows, beside the JSON object in the row of their task.

import type { TaskRow } from "../core/record/record.ts";
import { readTags } from "../core/record/tags.ts";

/** A row of the table `task_tags`. */
export interface TagRow {
  readonly task_id: string;
  readonly key: string;
  readonly value: string;
  /** The task's creation time: results of a search by tag are in the order of creation. */
  readonly created_at: number;
}

export function tagRowsOf({ id, tags, created_at }: Pick<TaskRow, "id" | "tags" | "created_at">): TagRow[] {
  if (tags === null) return NONE;
  return Object.entries(readTags(tags)).map(([key, value]) => ({ task_id: id, key, value, created_at }));
}

const NONE: TagRow[] = [];

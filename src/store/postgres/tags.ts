// The table `task_tags`: parts of the statements in `commit.ts`.

import type { TaskRow } from "../../core/record/record.ts";
import { readTags } from "../../core/record/tags.ts";
import type { TagRow } from "../tag-rows.ts";
import { TASK_TAGS } from "../tables.ts";
import { columnList, fieldsOf, isWon, type Part } from "./fields.ts";

/** Tags of the tasks in `won`; an existing key of a task gets the new value. */
export const tagUpserts: Part<TagRow> = {
  fields: fieldsOf(TASK_TAGS),
  read: (schema, rows) => `upserted_tags as (
    insert into ${schema}.task_tags (${columnList(TASK_TAGS)})
    select ${columnList(TASK_TAGS, "g")} from ${rows("g")}
    where ${isWon("g.task_id")}
    on conflict (task_id, key) do update set value = excluded.value
  )`,
};

interface Retagged {
  readonly task_id: string;
  /** The keys of all its tags, as a JSON array. */
  readonly keys: string;
}

export function toRetagged({ id, tags }: Pick<TaskRow, "id" | "tags">): Retagged {
  return { task_id: id, keys: JSON.stringify(Object.keys(readTags(tags))) };
}

/** Tags that the tasks in `won` no longer have. */
export const tagRemovals: Part<Retagged> = {
  fields: { task_id: "uuid", keys: "text" },
  read: (schema, rows) => `removed_tags as (
    delete from ${schema}.task_tags t using ${rows("g")}
    where ${isWon("g.task_id")} and t.task_id = g.task_id
      and not exists (select from json_array_elements_text(g.keys::json) as k (key) where k.key = t.key)
  )`,
};

// The table `task_tags`: parts of the statements in `commit.ts`.

import type { TagRow } from "../tag-rows.ts";
import { TASK_TAGS } from "../tables.ts";
import { columnList, fieldsOf, isWon, type Part } from "./fields.ts";

/** Tags of the tasks in `won`; a key that a task has already gets the new value. */
export const tagUpserts: Part<TagRow> = {
  fields: fieldsOf(TASK_TAGS),
  read: (schema, rows) => `upserted_tags as (
    insert into ${schema}.task_tags (${columnList(TASK_TAGS)})
    select ${columnList(TASK_TAGS, "g")} from ${rows("g")}
    where ${isWon("g.task_id")}
    on conflict (task_id, key) do update set value = excluded.value
  )`,
};

// What a server answers about operations on many tasks (`contract.ts`).

import * as v from "valibot";
import { BriefAnswer, TaskStatusWord } from "./answers.ts";
import { BULK_ACTIONS, type BulkPreview } from "./bulk.ts";
import { type Answer, Text, TextOrNull, Whole } from "./contract.ts";
import type { PurgePage } from "./purge.ts";

export const BulkPreviewAnswer: Answer<BulkPreview> = v.looseObject({
  action: v.picklist(BULK_ACTIONS),
  force: v.boolean(),
  tasks: Whole,
  more: v.boolean(),
  sample: v.array(BriefAnswer),
  token: Text,
});

export const PurgeAnswer: Answer<PurgePage> = v.looseObject({
  removed: v.array(v.looseObject({ flow_name: Text, status: TaskStatusWord, tasks: Whole })),
  not_loaded: v.array(Text),
  next: TextOrNull,
});

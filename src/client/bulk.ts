// Operations on many tasks, asked of a server.

import * as v from "valibot";
import { BULK_ACTIONS, type Bulk, type BulkPreview, type BulkRequest } from "../core/api/bulk.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { PurgePage } from "../core/api/purge.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import { type Answer, TaskAnswer } from "./answers.ts";
import type { Transport } from "./transport.ts";

const PreviewAnswer = v.looseObject({
  action: v.picklist(BULK_ACTIONS),
  tasks: v.number(),
  more: v.boolean(),
  token: v.string(),
  sample: v.array(v.looseObject({ id: v.string() })),
}) as unknown as Answer<BulkPreview>;

const PurgeAnswer = v.looseObject({
  removed: v.array(v.looseObject({ flow_name: v.string(), status: v.string(), tasks: v.number() })),
  not_loaded: v.array(v.string()),
  next: v.nullable(v.string()),
}) as unknown as Answer<PurgePage>;

export function createBulk({ ask }: Pick<Transport, "ask">): Bulk {
  return {
    preview: async (request) =>
      (await ask({ method: "POST", path: "/bulk", body: bodyOf(request), answer: PreviewAnswer })).body,

    async start({ token, ...request }) {
      const { status, body } = await ask({
        method: "POST",
        path: "/bulk",
        body: bodyOf(request, token),
        answer: TaskAnswer,
      });
      return { task: body, created: status === 201 };
    },

    async purge({ filter, isDryRun, cursor }) {
      const body = JSON.stringify({ filter: valuesOf(filter), dry_run: isDryRun, ...(cursor && { cursor }) });
      return (await ask({ method: "POST", path: "/purge", body, answer: PurgeAnswer })).body;
    },
  };
}

function bodyOf({ action, filter, signal }: BulkRequest, token?: string): string {
  return JSON.stringify({
    action,
    filter: valuesOf(filter),
    ...(signal && { signal }),
    ...(token !== undefined && { token }),
  });
}

function valuesOf(filter: TaskFilter): Readonly<Record<string, readonly string[]>> {
  const values: Record<string, string[]> = {};
  for (const [name, value] of filterPairs(filter)) values[name] = [...(values[name] ?? []), value];
  return values;
}

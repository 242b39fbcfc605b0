// Operations on many tasks, over HTTP.

import type { Bulk, BulkRequest } from "../core/api/bulk.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import { TaskAnswer } from "../core/api/answers.ts";
import { BulkPreviewAnswer, PurgeAnswer } from "../core/api/bulk-answers.ts";
import type { Transport } from "./transport.ts";

export function createBulk({ ask }: Pick<Transport, "ask">): Bulk {
  return {
    preview: async (request) =>
      (await ask({ method: "POST", path: "/bulk", body: bodyOf(request), answer: BulkPreviewAnswer })).body,

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

function bodyOf({ action, filter, signal, force }: BulkRequest, token?: string): string {
  return JSON.stringify({
    action,
    filter: valuesOf(filter),
    ...(signal && { signal }),
    ...(force && { force }),
    ...(token !== undefined && { token }),
  });
}

function valuesOf(filter: TaskFilter): Readonly<Record<string, readonly string[]>> {
  const values: Record<string, string[]> = {};
  for (const [name, value] of filterPairs(filter)) values[name] = [...(values[name] ?? []), value];
  return values;
}

// Operations on many tasks, asked of a server.

import * as v from "valibot";
import { BULK_ACTIONS, type Bulk, type BulkPreview, type BulkRequest } from "../core/api/bulk.ts";
import { filterPairs } from "../core/api/filter-text.ts";
import { type Answer, TaskAnswer } from "./answers.ts";
import type { Transport } from "./transport.ts";

const PreviewAnswer = v.looseObject({
  action: v.picklist(BULK_ACTIONS),
  tasks: v.number(),
  more: v.boolean(),
  token: v.string(),
  sample: v.array(v.looseObject({ id: v.string() })),
}) as unknown as Answer<BulkPreview>;

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
  };
}

function bodyOf({ action, filter, signal }: BulkRequest, token?: string): string {
  const values: Record<string, string[]> = {};
  for (const [name, value] of filterPairs(filter)) values[name] = [...(values[name] ?? []), value];
  return JSON.stringify({ action, filter: values, ...(signal && { signal }), ...(token !== undefined && { token }) });
}

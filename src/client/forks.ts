// Forks of tasks, over HTTP.

import type { Forks, ForkTask } from "../core/api/forks.ts";
import { parseTaskId } from "../core/record/ids.ts";
import { ForkAnswer, TaskAnswer } from "../core/api/answers.ts";
import type { Transport } from "./transport.ts";

interface Parts {
  readonly ask: Transport["ask"];
  readonly headersOf: (idempotencyKey: string | undefined) => Record<string, string>;
  readonly queryOf: (request: Pick<ForkTask, "start" | "priority">) => string;
  readonly bodyOf: (body: object) => string;
}

export function createForks({ ask, headersOf, queryOf, bodyOf }: Parts): Forks {
  const requestOf = (
    id: string,
    { from, input, set, idempotencyKey, ...queueing }: ForkTask,
    more: { readonly dry_run?: true } = {},
  ): { method: "POST"; path: string; headers: Record<string, string>; body: string; patient: true } => ({
    method: "POST",
    path: `/tasks/${parseTaskId(id)}/fork${queryOf(queueing)}`,
    headers: headersOf(idempotencyKey),
    body: bodyOf({ from, ...(input !== undefined && { input }), ...(set && { set }), ...more }),
    // a long record takes time to replay
    patient: true,
  });

  return {
    async preview(id, request) {
      return (await ask({ ...requestOf(id, request, { dry_run: true }), answer: ForkAnswer })).body;
    },

    async create(id, request) {
      const { status, body } = await ask({ ...requestOf(id, request), answer: TaskAnswer });
      return { task: body, created: status === 201 };
    },
  };
}

// Results of tasks, over HTTP.

import { parseTaskId } from "../core/record/ids.ts";
import { type AwaitEnd, type Results, WAIT_MS_MAX } from "../core/api/results.ts";
import type { CreateTask } from "../core/api/create-task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { SummaryAnswer, TaskAnswer } from "../core/api/answers.ts";
import type { Transport } from "./transport.ts";

interface Parts extends Pick<Taskonaut, "createTask" | "runTask"> {
  readonly ask: Transport["ask"];
  /** Makes the request that creates this task: its path, headers and body. */
  readonly creationOf: (request: CreateTask, wait: string) => Creation;
}

export interface Creation {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export function createResults({ ask, createTask, runTask, creationOf }: Parts): Results {
  return {
    async begin(request) {
      const { task } = await createTask(request);
      return { id: task.id, run: (options) => runTask(task.id, options) };
    },

    async create(request, options) {
      const { wait, ...patience } = patienceOf(options);
      const creation = creationOf(request, wait);
      const { status, headers, body } = await ask({ method: "POST", ...creation, ...patience, answer: TaskAnswer });
      // an open task is answered with 202, whether it is new or not, so a header says which
      return { task: body, created: status === 201 || headers.get("taskonaut-created") === "true" };
    },

    async await(id, options) {
      const { wait, ...patience } = patienceOf(options);
      const path = `/tasks/${parseTaskId(id)}?wait=${wait}`;
      return (await ask({ path, ...patience, answer: TaskAnswer })).body;
    },

    async awaitSummary(id, options) {
      const { wait, ...patience } = patienceOf(options);
      const path = `/tasks/${parseTaskId(id)}?wait=${wait}&view=summary`;
      return (await ask({ path, ...patience, answer: SummaryAnswer })).body;
    },
  };
}

/** The server waits for this time, and then has its usual time to answer. */
function patienceOf({ waitMs, signal }: AwaitEnd): {
  readonly wait: string;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
} {
  const ms = Math.min(WAIT_MS_MAX, Math.max(0, Math.ceil(waitMs)));
  return { wait: `${ms}ms`, waitMs: ms, ...(signal && { signal }) };
}

// What a request to create a task says: in its headers, its query and its body.

import type { Context } from "hono";
import type { CreateTask } from "../core/api/create-task.ts";
import { readTraceparent, TRACEPARENT } from "../core/record/trace-context.ts";
import { requireJsonBody } from "./body.ts";
import { queryOf } from "./query.ts";
import { readCreationQuery } from "./queueing.ts";
import { readIdempotencyKey } from "./route.ts";

interface Creation {
  readonly request: CreateTask;
  /** How long the caller waits for the end of the task; undefined: not at all. */
  readonly waitMs: number | undefined;
}

/** Throws input_invalid and the errors of a body that cannot be read. */
export async function readCreation(c: Context, flow: string, maxBodyBytes: number): Promise<Creation> {
  const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
  // an invalid traceparent counts as none, says W3C Trace Context
  const traceparent = readTraceparent(c.req.header(TRACEPARENT));
  const { queueing, tags, waitMs } = readCreationQuery(queryOf(c), Date.now());
  const input = await requireJsonBody(c.req.raw, maxBodyBytes);
  const request: CreateTask = {
    flow,
    input,
    ...queueing,
    ...(tags && { tags }),
    ...(traceparent !== undefined && { traceparent }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
  return { request, waitMs };
}

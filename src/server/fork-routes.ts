// POST /tasks/{id}/fork: a new task that shares the record of this one up to a step.

import type { Context } from "hono";
import * as v from "valibot";
import type { ForkTask } from "../core/api/forks.ts";
import type { CreatedTask } from "../core/api/create-task.ts";
import { ForkAnswer, TaskAnswer } from "../core/api/answers.ts";
import { LOCATION } from "./about.ts";
import { requireJsonBody } from "./body.ts";
import { check, inputInvalid, withEveryName } from "./check.ts";
import { queryOf, violationsOf } from "./query.ts";
import { readQueueing } from "./queueing.ts";
import { param, readIdempotencyKey, type Route, type RouteOptions } from "./route.ts";

const PARAMETERS: readonly string[] = ["start", "priority"];

const ForkBody = v.strictObject({
  from: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  input: v.optional(v.unknown()),
  set: v.optional(v.record(v.string(), v.unknown())),
  dry_run: v.optional(v.boolean(), false),
});

type Created = (c: Context, made: CreatedTask) => Response;

export function forkRoutes({ taskonaut, maxBodyBytes }: RouteOptions, created: Created): readonly Route[] {
  async function fork(c: Context): Promise<Response> {
    const idempotencyKey = readIdempotencyKey(c.req.header("idempotency-key"));
    const query = queryOf(c);
    const errors = violationsOf(query, PARAMETERS);
    const queueing = readQueueing(query, Date.now(), errors);
    if (errors.length > 0) throw inputInvalid(errors);
    const given = await requireJsonBody(c.req.raw, maxBodyBytes);
    const body = check(ForkBody, given);
    const request: ForkTask = {
      from: body.from,
      ...queueing,
      ...(body.input !== undefined && { input: body.input }),
      ...(body.set !== undefined && { set: withEveryName(body.set, given, "set") }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    const id = param(c, "id");
    if (body.dry_run) return c.json(await taskonaut.forks.preview(id, request));
    return created(c, await taskonaut.forks.create(id, request));
  }

  return [
    {
      method: "POST",
      path: "/tasks/:id/fork",
      query: PARAMETERS,
      about: {
        summary: "Makes a new task that shares the record of this one up to a step",
        more: "With dry_run it only tells what it would make. The keys of set are step numbers.",
        body: ForkBody,
        isIdempotent: true,
        answers: { 200: v.union([ForkAnswer, TaskAnswer]), 201: TaskAnswer },
        headers: LOCATION,
        errors: ["flow_not_loaded", "task_not_forkable", "idempotency_key_reused", "unique_key_taken"],
      },
      handle: fork,
    },
  ];
}

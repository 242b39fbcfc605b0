// Routes of limits over all workers.

import type { Context } from "hono";
import * as v from "valibot";
import type { SetLimit } from "../core/api/limits.ts";
import { LimitAnswer, LimitsAnswer } from "../core/api/limit-answers.ts";
import { toMs } from "../core/record/duration.ts";
import { readJsonBody, requireJsonBody } from "./body.ts";
import { nameOfCaller } from "./caller.ts";
import { check, inputInvalid } from "./check.ts";
import { param, type Route, type RouteOptions } from "./route.ts";

const Kind = v.optional(v.picklist(["flow", "tool"]));
const Count = v.optional(v.nullable(v.union([v.number(), v.literal("none")])));

const SetBody = v.strictObject({
  kind: Kind,
  running: Count,
  running_per_key: Count,
  rate: v.optional(
    v.nullable(
      v.union([
        v.literal("none"),
        v.strictObject({ count: v.number(), per_ms: v.number() }),
        v.strictObject({ count: v.number(), per: v.string() }),
      ]),
    ),
  ),
  reason: v.optional(v.string()),
  by: v.optional(v.string()),
});

const ResetBody = v.strictObject({ kind: Kind });

export function limitRoutes({ taskonaut, maxBodyBytes }: RouteOptions): readonly Route[] {
  const { limits } = taskonaut;

  async function set(c: Context): Promise<Response> {
    const { rate, by = nameOfCaller(c), ...change } = check(SetBody, await requireJsonBody(c.req.raw, maxBodyBytes));
    const more = { ...(rate !== undefined && { rate: toRate(rate) }), ...(by !== undefined && { by }) };
    return c.json(await limits.set(param(c, "name"), { ...change, ...more }));
  }

  async function reset(c: Context): Promise<Response> {
    const body = await readJsonBody(c.req.raw, maxBodyBytes);
    const { kind } = check(ResetBody, body === undefined ? {} : body);
    return c.json(await limits.reset(param(c, "name"), kind));
  }

  return [
    {
      method: "GET",
      path: "/limits",
      about: { summary: "Lists the limits of flows and tools", answers: { 200: LimitsAnswer } },
      handle: async (c) => c.json(await limits.list()),
    },
    {
      method: "POST",
      path: "/limits/:name",
      about: {
        summary: "Sets limits of a flow or a tool",
        more: 'A number is a limit, "none" is no limit, null is what the code says; what is left out stays as it is.',
        body: SetBody,
        answers: { 200: LimitAnswer },
        errors: ["limit_not_found"],
      },
      handle: set,
    },
    {
      method: "POST",
      path: "/limits/:name/reset",
      about: {
        summary: "Goes back to what the code says",
        body: ResetBody,
        isBodyOptional: true,
        answers: { 200: LimitAnswer },
        errors: ["limit_not_found"],
      },
      handle: reset,
    },
  ];
}

function toRate(given: NonNullable<v.InferOutput<typeof SetBody>["rate"]> | null): SetLimit["rate"] {
  if (given === null || given === "none" || "per_ms" in given) return given;
  const ms = toMs(given.per);
  if (ms === undefined) {
    throw inputInvalid([
      { path: "rate.per", message: `must be a duration such as "1m", got ${JSON.stringify(given.per)}` },
    ]);
  }
  return { count: given.count, per_ms: ms };
}

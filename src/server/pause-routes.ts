// The routes of pauses. The body names the target: one of `flow`, `tool` and `all`.

import * as v from "valibot";
import { PausedAnswer, PausesAnswer } from "../core/api/pause-answers.ts";
import type { PauseTarget } from "../core/api/pauses.ts";
import type { Violation } from "../core/errors.ts";
import { requireJsonBody } from "./body.ts";
import { nameOfCaller } from "./caller.ts";
import { check, inputInvalid } from "./check.ts";
import type { Route, RouteOptions } from "./route.ts";

const TARGET = {
  flow: v.optional(v.string()),
  tool: v.optional(v.string()),
  all: v.optional(v.literal(true)),
};

const TargetBody = v.strictObject(TARGET);

const PauseBody = v.strictObject({
  ...TARGET,
  reason: v.optional(v.string()),
  by: v.optional(v.string()),
  abort: v.optional(v.boolean()),
});

export function pauseRoutes({ taskonaut: { pauses }, maxBodyBytes, onLongWait }: RouteOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/pauses",
      about: { summary: "Lists what is paused", answers: { 200: PausesAnswer } },
      handle: async (c) => c.json(await pauses.list()),
    },
    {
      method: "POST",
      path: "/pauses",
      about: {
        summary: "Pauses a flow, a tool, or everything",
        more: "It answers when nothing of it starts any more. Just one of flow, tool and all.",
        body: PauseBody,
        answers: { 201: PausedAnswer },
        errors: ["flow_not_found"],
        destroys: true,
      },
      handle: async (c) => {
        const {
          reason,
          by = nameOfCaller(c),
          abort = false,
          ...target
        } = check(PauseBody, await requireJsonBody(c.req.raw, maxBodyBytes));
        onLongWait(c.req.raw);
        const options = { ...(reason !== undefined && { reason }), ...(by !== undefined && { by }), abort };
        return c.json(await pauses.pause(readTarget(target), options), 201);
      },
    },
    {
      method: "POST",
      path: "/pauses/end",
      about: {
        summary: "Ends a pause",
        body: TargetBody,
        answers: { 200: PausesAnswer },
        errors: ["pause_not_found"],
      },
      handle: async (c) => {
        const target = readTarget(check(TargetBody, await requireJsonBody(c.req.raw, maxBodyBytes)));
        await pauses.unpause(target);
        return c.json(await pauses.list());
      },
    },
  ];
}

/** Throws input_invalid. */
function readTarget({ flow, tool, all }: v.InferOutput<typeof TargetBody>): PauseTarget {
  const targets: readonly PauseTarget[] = [
    ...(flow === undefined ? [] : [{ scope: "flow", name: flow } as const]),
    ...(tool === undefined ? [] : [{ scope: "tool", name: tool } as const]),
    ...(all === undefined ? [] : [{ scope: "all" } as const]),
  ];
  const [target] = targets;
  if (target && targets.length === 1) return target;
  const violation: Violation = {
    path: "",
    message: 'say what it is of: one of "flow": <name>, "tool": <name>, and "all": true',
  };
  throw inputInvalid([violation]);
}

// Limits over all workers, asked of a server.

import * as v from "valibot";
import type { Limit, Limits } from "../core/api/limits.ts";
import type { Answer } from "./answers.ts";
import type { Transport } from "./transport.ts";

const NumberOrNull = v.nullable(v.number());
const Rate = v.nullable(v.looseObject({ count: v.number(), per_ms: v.number() }));

const LimitAnswer = v.looseObject({
  kind: v.picklist(["flow", "tool"] satisfies Limit["kind"][]),
  name: v.string(),
  keyed: v.boolean(),
  max: v.looseObject({ running: NumberOrNull, running_per_key: NumberOrNull, rate: Rate }),
  set: v.nullable(v.looseObject({ by: v.string(), at: v.string(), reason: v.nullable(v.string()) })),
  running: v.number(),
  waiting: v.number(),
  rate_left: NumberOrNull,
  rate_next_at: v.nullable(v.string()),
}) as unknown as Answer<Limit>;

const LimitsAnswer = v.array(LimitAnswer) as unknown as Answer<readonly Limit[]>;

export function createLimits(ask: Transport["ask"]): Limits {
  async function post(path: string, body: object): Promise<Limit> {
    return (await ask({ method: "POST", path, body: JSON.stringify(body), answer: LimitAnswer })).body;
  }

  return {
    list: async () => (await ask({ path: "/limits", answer: LimitsAnswer })).body,
    set: (name, change) => post(`/limits/${encodeURIComponent(name)}`, change),
    reset: (name, kind) => post(`/limits/${encodeURIComponent(name)}/reset`, kind === undefined ? {} : { kind }),
  };
}

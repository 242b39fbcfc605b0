// Limits over all workers, over HTTP.

import type { Limit, Limits } from "../core/api/limits.ts";
import { LimitAnswer, LimitsAnswer } from "../core/api/limit-answers.ts";
import type { Transport } from "./transport.ts";

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

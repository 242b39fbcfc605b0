// What a server answers about what happened when (`contract.ts`).

import * as v from "valibot";
import { type Answer, Time, Whole } from "./contract.ts";
import type { Stats } from "./stats.ts";

const COUNTS = {
  created: Whole,
  completed: Whole,
  failed: Whole,
  cancelled: Whole,
  queue_delay: v.looseObject({ claims: Whole, p50_ms: v.nullable(v.number()), p95_ms: v.nullable(v.number()) }),
};

export const StatsAnswer: Answer<Stats> = v.looseObject({
  since: Time,
  until: Time,
  step_ms: Whole,
  steps: v.array(v.looseObject({ at: Time, ...COUNTS })),
  total: v.looseObject(COUNTS),
});

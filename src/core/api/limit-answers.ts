// What a server answers about limits (`contract.ts`).

import * as v from "valibot";
import { type Answer, Text, TextOrNull, Time, TimeOrNull, Whole, WholeOrNull } from "./contract.ts";
import type { Limit } from "./limits.ts";

const Rate = v.looseObject({ count: Whole, per_ms: Whole });
const NUMBERS = { running: WholeOrNull, running_per_key: WholeOrNull, rate: v.nullable(Rate) };
const Set = v.nullable(v.union([Whole, v.literal("none")]));

export const LimitAnswer: Answer<Limit> = v.looseObject({
  kind: v.picklist(["flow", "tool"] satisfies Limit["kind"][]),
  name: Text,
  keyed: v.boolean(),
  max: v.looseObject(NUMBERS),
  code: v.nullable(v.looseObject(NUMBERS)),
  set: v.nullable(
    v.looseObject({
      running: Set,
      running_per_key: Set,
      rate: v.nullable(v.union([Rate, v.literal("none")])),
      reason: TextOrNull,
      by: Text,
      at: Time,
    }),
  ),
  running: Whole,
  waiting: Whole,
  rate_left: WholeOrNull,
  rate_next_at: TimeOrNull,
  damage: v.exactOptional(Text),
});

export const LimitsAnswer: Answer<readonly Limit[]> = v.array(LimitAnswer);

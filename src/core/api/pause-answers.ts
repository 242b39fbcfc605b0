// What a server answers about pauses (`contract.ts`).

import * as v from "valibot";
import { type Answer, Text, TextOrNull, Time } from "./contract.ts";
import type { Pause, Paused } from "./pauses.ts";

export const PauseAnswer: Answer<Pause> = v.looseObject({
  scope: v.picklist(["all", "flow", "tool"] satisfies Pause["scope"][]),
  name: TextOrNull,
  reason: TextOrNull,
  by: Text,
  since: Time,
  damage: v.exactOptional(Text),
});

export const PausesAnswer: Answer<readonly Pause[]> = v.array(PauseAnswer);

export const PausedAnswer: Answer<Paused> = v.looseObject({ pause: PauseAnswer, unanswered: v.array(Text) });

export const ReadyAnswer: Answer<{ readonly status: "ready"; readonly pauses?: readonly Pause[] }> = v.looseObject({
  status: v.literal("ready"),
  pauses: v.exactOptional(PausesAnswer as Answer<Pause[]>),
});

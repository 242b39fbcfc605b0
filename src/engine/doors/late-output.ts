// The late output of an at-most-once tool whose outcome this process could not record any more. It settles the doubt for the
// process that has the task now. Nobody else knows the output, so it is posted again until the database takes it.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { JsonText, StepRow } from "../../core/record/record.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { Store } from "../../store/store.ts";
import { isPassing } from "../process/retry-write.ts";
import { settlementOf } from "../task/inbox-posts.ts";

const AWAY: Backoff = { minMs: 100, maxMs: 5_000 };

/** Then it is left to a person. */
const GIVE_UP_MS = 600_000;

interface LateOutputTools {
  readonly store: Pick<Store, "postToTask">;
  readonly clock: Clock;
  readonly log: Log;
  readonly isLeaving: () => boolean;
  /** Something has come for the task. */
  readonly onPosted: (taskId: string) => void;
}

/** Never rejects. */
export async function tellLateOutput(step: StepRow, output: JsonText, tools: LateOutputTools): Promise<void> {
  const { store, clock, log, isLeaving, onPosted } = tools;
  const fields = { task_id: step.task_id, step: step.step_name };
  const until = clock.now() + GIVE_UP_MS;
  for (let waitMs = nextWait(AWAY); ; waitMs = nextWait(AWAY, waitMs)) {
    try {
      await store.postToTask(settlementOf(step, { payload: output }));
      log.info?.("late output of a step in doubt", fields);
      return onPosted(step.task_id);
    } catch (error) {
      if (!isPassing(error) || isLeaving() || clock.now() > until) {
        return log.warn?.("late output of a step in doubt lost", { ...fields, error: messageOf(error) });
      }
    }
    await clock.sleep(waitMs);
  }
}

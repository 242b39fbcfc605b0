// A worker's duty: it cancels tasks that have not begun in time, of all flows. (A driver notices it by itself:
// `transitions.ts`.)

import type { Store } from "../../store/store.ts";
import { expire } from "../task/expire.ts";
import type { DrivingTools } from "./driving-tools.ts";

/** The size of one read. */
const PORTION = 200;
/** The most portions in one turn of the duty: other duties wait for it. */
const PORTIONS_MAX = 10;

export interface ExpiryTools extends Pick<
  DrivingTools,
  "clock" | "writer" | "log" | "children" | "onEnded" | "driven"
> {
  readonly store: Pick<Store, "admission" | "readTask">;
}

/** Returns when to look again, in store time: 0 is soon, null is when there is news. */
export async function expireTasks(tools: ExpiryTools, signal: AbortSignal): Promise<number | null> {
  const { store } = tools;
  for (let portion = 0; portion < PORTIONS_MAX && !signal.aborted; portion++) {
    const { ids, nextAt } = await store.admission.findExpired(PORTION);
    const expired = await Promise.all(ids.map((id) => expireTask(id, tools)));
    // if others do the same, the rest is left to them
    if (ids.length < PORTION || expired.filter(Boolean).length < PORTION / 2)
      return portion > 0 || ids.length > 0 ? 0 : nextAt;
  }
  return 0;
}

async function expireTask(
  id: string,
  { store, clock, writer, log, children, onEnded, driven }: ExpiryTools,
): Promise<boolean> {
  const record = await store.readTask(id);
  const change = record && expire(record, clock.now());
  // lost: somebody has begun it just now, or ended it
  if (!change || !(await writer.submitChange(change))) return false;
  log.info?.("task expired", { task_id: id, flow: change.task.flow_name, reason: change.task.cancel_reason });
  driven.forget(id);
  for (const post of change.posts) children.onPosted(post);
  onEnded(id);
  return true;
}

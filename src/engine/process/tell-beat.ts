import type { BeatingWorker } from "../../core/heartbeat.ts";
import type { Log } from "../../core/log.ts";
import type { BeatEvent } from "./beat.ts";

/** Passes on the messages of a heartbeat: those about its work to the worker, the rest to the log. */
export function tellBeat(event: BeatEvent, { id, onNews, onDead }: BeatingWorker, log: Log): void {
  switch (event.kind) {
    case "news":
      return onNews();
    case "dead":
      return onDead(event.ids);
    case "gone":
      log.warn?.("the worker's row was gone", { worker_id: id });
      return;
    case "failed":
    case "recovered": {
      const { kind, ...fields } = event;
      if (kind === "failed") log.warn?.("worker lease not renewed", { worker_id: id, ...fields });
      else log.info?.("worker lease renewed again", { worker_id: id, ...fields });
    }
  }
}

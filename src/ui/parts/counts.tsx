import type { ComponentChild } from "preact";
import type { TaskCounts } from "../../core/api/task-counts.ts";
import { get } from "../api.ts";
import { TOLD, useLive } from "../live.ts";
import { hrefOf } from "../router.ts";

const STATUSES = ["PLANNED", "RUNNING", "WAITING_OBSERVATION", "FAILED", "CANCELLED", "COMPLETED"];

/** How many tasks are in each state. Each number links to them. */
export function Counts(): ComponentChild {
  const { data } = useLive("counts", async (signal) => (await get<TaskCounts>("/tasks/counts", signal)).body, TOLD);
  if (!data || data.total === 0) return null;
  const sum = (status: string): number =>
    data.counts.reduce((all, each) => all + (each.status === status ? each.count : 0), 0);
  return (
    <ul class="counts" aria-label="Tasks by state">
      {STATUSES.filter((status) => sum(status) > 0).map((status) => (
        <li key={status}>
          <a href={hrefOf(`/tasks?status=${status}`)}>
            <strong>{sum(status).toLocaleString()}</strong> {status.toLowerCase().replace("_", " ")}
          </a>
        </li>
      ))}
    </ul>
  );
}

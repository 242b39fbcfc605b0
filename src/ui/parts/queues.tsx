import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TaskCounts } from "../../core/api/task-counts.ts";
import { get, getText } from "../api.ts";
import { duration } from "../format.ts";
import { TOLD, useLive } from "../live.ts";
import { readFlowFigures } from "../read-metrics.ts";
import { hrefOf } from "../router.ts";
import { isEnded } from "../standing.ts";
import { Failure } from "./failure.tsx";

/** A phone shows only the running tasks. */
const OPEN = [
  { status: "PLANNED", title: "Planned", look: "number wide" },
  { status: "RUNNING", title: "Running", look: "number" },
  { status: "WAITING_OBSERVATION", title: "Waiting", look: "number wide" },
] as const;

/** The server counts no further than this, and no more often. */
const DUE_MAX = 1000;
const FIGURES_MS = 10_000;

/** For each flow, its open tasks, and those that wait for a worker. */
export function Queues(): ComponentChild {
  const { data, error } = useLive(
    "counts",
    async (signal) => (await get<TaskCounts>("/tasks/counts", signal)).body,
    TOLD,
  );
  const due = useFigures();
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const flows = Map.groupBy(
    data.counts.filter(({ status }) => !isEnded(status)),
    ({ flow_name: flow }) => flow,
  );
  return (
    <>
      <h2>What is under way, by flow</h2>
      {flows.size === 0 && <p class="hint">Every task has ended.</p>}
      {flows.size > 0 && (
        <table>
          <thead>
            <tr>
              <th>Flow</th>
              {OPEN.map(({ status, title, look }) => (
                <th key={status} class={look}>
                  {title}
                </th>
              ))}
              <th class="number">Due</th>
              <th class="number">Oldest due</th>
            </tr>
          </thead>
          <tbody>
            {[...flows].map(([flow, counts]) => (
              <tr key={flow}>
                <td>
                  <a href={hrefOf(`/tasks?flow=${encodeURIComponent(flow)}`)}>{flow}</a>
                </td>
                {OPEN.map(({ status, look }) => {
                  const count = counts.find((each) => each.status === status)?.count ?? 0;
                  return (
                    <td key={status} class={look}>
                      {count === 0 ? (
                        "0"
                      ) : (
                        <a href={hrefOf(`/tasks?flow=${encodeURIComponent(flow)}&status=${status}`)}>
                          {count.toLocaleString()}
                        </a>
                      )}
                    </td>
                  );
                })}
                <td class="number">{countOf(due?.get("taskonaut_tasks_due")?.get(flow))}</td>
                <td class="number">{ageOf(due?.get("taskonaut_oldest_due_seconds")?.get(flow))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** Undefined: this server has no metrics. They are requested every ten seconds. */
function useFigures(): ReturnType<typeof readFlowFigures> | undefined {
  const [round, setRound] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setRound((count) => count + 1), FIGURES_MS);
    return () => clearInterval(timer);
  }, []);
  const { data } = useLive(
    `figures ${round}`,
    async (signal) => readFlowFigures(await getText("/metrics", signal)),
    () => false,
  );
  const last = useRef(data);
  if (data) last.current = data;
  return last.current;
}

function countOf(due: number | undefined): string {
  if (due === undefined) return "";
  return due >= DUE_MAX ? `${DUE_MAX.toLocaleString()} or more` : due.toLocaleString();
}

function ageOf(seconds: number | undefined): string {
  return seconds ? duration(seconds * 1000) : "";
}

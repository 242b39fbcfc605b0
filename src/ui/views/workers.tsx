import type { ComponentChild } from "preact";
import type { Worker } from "../../core/api/worker.ts";
import { get } from "../api.ts";
import { age, clockTime, shortId } from "../format.ts";
import { UNTOLD, useLive, useNow } from "../live.ts";
import { Damaged } from "../parts/damaged.tsx";
import { Failure } from "../parts/failure.tsx";

export function Workers(): ComponentChild {
  const now = useNow();
  const workers = useLive("workers", async (signal) => (await get<readonly Worker[]>("/workers", signal)).body, UNTOLD);
  const codes = codesOf(workers.data ?? []);
  return (
    <>
      <h1>Workers</h1>
      <Failure error={workers.error} />
      <Damaged of={workers.data} />
      {workers.data?.length === 0 && (
        <p class="hint">
          No worker runs: what is in the queue waits. Start one with <code>taskonaut work</code>.
        </p>
      )}
      {workers.data && workers.data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Worker</th>
              <th>State</th>
              <th class="number">Tasks</th>
              <th>Started</th>
              <th>Lease</th>
              <th class="wide">Flows</th>
            </tr>
          </thead>
          <tbody>
            {workers.data.map((worker) => (
              <tr key={worker.id}>
                <td>
                  {worker.name} <small title={worker.id}>{shortId(worker.id)}</small>
                </td>
                <td>
                  <span class={`state ${worker.state === "alive" ? "good" : "bad"}`}>{worker.state}</span>
                </td>
                <td class="number">
                  {worker.concurrency > 0 && (
                    <meter
                      min={0}
                      max={worker.concurrency}
                      value={worker.tasks}
                      aria-label={`${worker.tasks} of ${worker.concurrency} tasks`}
                    />
                  )}{" "}
                  {worker.concurrency > 0 ? `${worker.tasks} of ${worker.concurrency}` : worker.tasks}
                </td>
                <td>{age(worker.started_at, now)}</td>
                <td title={clockTime(worker.lease_until)}>{leaseOf(worker, now)}</td>
                <td class="wide">
                  <ul class="codes">
                    {worker.flows.map((flow) => (
                      <li key={flow}>
                        {flow} <Code code={worker.codes[flow]} hasOthers={(codes.get(flow)?.size ?? 0) > 1} />
                      </li>
                    ))}
                  </ul>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** For each flow, the code versions of the living workers. */
function codesOf(workers: readonly Worker[]): ReadonlyMap<string, ReadonlySet<string>> {
  const codes = new Map<string, Set<string>>();
  for (const worker of workers) {
    if (worker.state !== "alive") continue;
    for (const [flow, code] of Object.entries(worker.codes)) codes.set(flow, (codes.get(flow) ?? new Set()).add(code));
  }
  return codes;
}

/** Tasks that other code has begun may be parked, so the page shows where workers differ. */
function Code({ code, hasOthers }: { readonly code: string | undefined; readonly hasOthers: boolean }): ComponentChild {
  if (code === undefined) return null; // its code comes with the program
  return (
    <>
      <code title={`Its code: ${code}`}>{code.slice(0, 7)}</code>
      {hasOthers && <span class="state wait">other workers have other code</span>}
    </>
  );
}

/** How long others leave the worker's tasks alone. */
function leaseOf({ lease_until: until }: Worker, now: number): string {
  return Date.parse(until) > now ? `for ${age(until, now).replace("in ", "")}` : `ended ${age(until, now)}`;
}

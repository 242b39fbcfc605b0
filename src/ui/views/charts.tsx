// Counts over time: created, ended and failed tasks, and how long tasks waited for a worker. The address says when.

import type { ComponentChild } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { Stats } from "../../core/api/stats.ts";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import { get } from "../api.ts";
import { clockTime, duration } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { Chart } from "../parts/chart.tsx";
import { Failure } from "../parts/failure.tsx";
import { go, hrefOf } from "../router.ts";

const TIMES = [
  { title: "1 hour", since: "1h" },
  { title: "6 hours", since: "6h" },
  { title: "1 day", since: "1d" },
  { title: "7 days", since: "7d" },
  { title: "90 days", since: "90d" },
];

/** Counts per minute do not change faster. */
const REFRESH_MS = 15_000;

const MINUTE_MS = 60_000;

export function Charts({ query }: { readonly query: URLSearchParams }): ComponentChild {
  const since = query.get("since") ?? "1h";
  const flow = query.get("flow") ?? "";
  const asked = new URLSearchParams({ since, ...(flow !== "" && { flow }) }).toString();
  const round = Math.floor(useNow() / REFRESH_MS);
  const { data: fresh, error } = useLive(
    `stats ${asked} ${round}`,
    async (signal) => ({ asked, stats: (await get<Stats>(`/stats?${asked}`, signal)).body }),
    () => false,
  );
  // the last data stays while newer data is requested
  const last = useRef(fresh);
  if (fresh) last.current = fresh;
  const stats = last.current?.asked === asked ? last.current.stats : undefined;
  return (
    <>
      <h1>Charts</h1>
      <nav class="presets" aria-label="Times">
        {TIMES.map((time) => (
          <a
            key={time.since}
            href={hrefOf(
              `/charts?${new URLSearchParams({ since: time.since, ...(flow !== "" && { flow }) }).toString()}`,
            )}
            aria-current={since === time.since ? "true" : undefined}
          >
            {time.title}
          </a>
        ))}
      </nav>
      <FlowChoice flow={flow} since={since} />
      <Failure error={error} />
      {stats && <Told stats={stats} />}
    </>
  );
}

function FlowChoice({ flow, since }: { readonly flow: string; readonly since: string }): ComponentChild {
  const { data } = useLive(
    "flows",
    async (signal) => (await get<readonly FlowDescription[]>("/flows", signal)).body,
    () => false,
  );
  const names = [...new Set([...(data?.map(({ name }) => name) ?? []), ...(flow === "" ? [] : [flow])])].toSorted();
  return (
    <label class="choice">
      Flow{" "}
      <select
        value={flow}
        onChange={({ currentTarget: { value } }) =>
          go(`/charts?${new URLSearchParams({ since, ...(value !== "" && { flow: value }) }).toString()}`)
        }
      >
        <option value="">all flows</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Told({ stats }: { readonly stats: Stats }): ComponentChild {
  const { steps, total, step_ms } = stats;
  const per = step_ms === MINUTE_MS ? "a minute" : `each ${duration(step_ms)}`;
  const { tasks, delays } = useMemo(() => plotsOf(stats), [stats]);
  if (total.created + total.completed + total.failed + total.cancelled + total.queue_delay.claims === 0) {
    return <p class="hint">Nothing was counted in this time.</p>;
  }
  const { claims, p50_ms, p95_ms } = total.queue_delay;
  return (
    <>
      <ul class="counts" aria-label="In all this time">
        {(["created", "completed", "failed", "cancelled"] as const).map((what) => (
          <li key={what}>
            <strong>{total[what].toLocaleString()}</strong> {what}
          </li>
        ))}
      </ul>
      <Chart
        title={`Tasks ${per}`}
        summary={`Tasks ${per}: ${total.created} created, ${total.completed} completed, ${total.failed} failed, ${total.cancelled} cancelled in all. The table below tells each step.`}
        {...tasks}
      />
      <Chart
        title="Wait for a worker"
        summary={`Wait for a worker: ${claims} claims, half of them within ${told(p50_ms)}, 95 % within ${told(p95_ms)}. The table below tells each step.`}
        {...delays}
      />
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th>From</th>
              <th class="number">Created</th>
              <th class="number">Completed</th>
              <th class="number">Failed</th>
              <th class="number wide">Cancelled</th>
              <th class="number wide">Wait, half</th>
              <th class="number wide">Wait, 95 %</th>
            </tr>
          </thead>
          <tbody>
            {steps.toReversed().map(({ at, created, completed, failed, cancelled, queue_delay }) => (
              <tr key={at}>
                <td>{clockTime(at)}</td>
                <td class="number">{created}</td>
                <td class="number">{completed}</td>
                <td class="number">{failed}</td>
                <td class="number wide">{cancelled}</td>
                <td class="number wide">{told(queue_delay.p50_ms)}</td>
                <td class="number wide">{told(queue_delay.p95_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function told(ms: number | null): string {
  return ms === null ? "–" : duration(ms);
}

function plotsOf({ steps }: Stats) {
  const times = steps.map(({ at }) => Date.parse(at) / 1000);
  return {
    tasks: {
      times,
      tell: (count: number) => count.toLocaleString(),
      lines: [
        { label: "created", color: "--busy", values: steps.map(({ created }) => created) },
        { label: "completed", color: "--good", values: steps.map(({ completed }) => completed) },
        { label: "failed", color: "--bad", values: steps.map(({ failed }) => failed) },
        { label: "cancelled", color: "--soft", values: steps.map(({ cancelled }) => cancelled) },
      ],
    },
    delays: {
      times,
      tell: duration,
      lines: [
        { label: "half", color: "--wait", values: steps.map(({ queue_delay }) => queue_delay.p50_ms) },
        { label: "95 %", color: "--person", values: steps.map(({ queue_delay }) => queue_delay.p95_ms) },
      ],
    },
  };
}

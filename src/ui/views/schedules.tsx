// Schedules: their last and next times, and what was skipped, with the reason.

import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { FiringTime, Schedule, ScheduleDetails } from "../../core/api/schedules.ts";
import type { Task } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { exactly } from "../../core/times.ts";
import { age, clockTime } from "../format.ts";
import { UNTOLD, useLive, useNow } from "../live.ts";
import { AddSchedule } from "../parts/add-schedule.tsx";
import { Damaged } from "../parts/damaged.tsx";
import { Failure } from "../parts/failure.tsx";
import { NotThere } from "../parts/not-there.tsx";
import { Order } from "../parts/order.tsx";
import { Payloads } from "../parts/payload.tsx";
import { go, hrefOf } from "../router.ts";

export function Schedules({ name }: { readonly name: string | undefined }): ComponentChild {
  return name === undefined ? <All /> : <One key={name} name={name} />;
}

function All(): ComponentChild {
  const now = useNow();
  const { data, error } = useLive(
    "schedules",
    async (signal) => (await get<readonly Schedule[]>("/schedules?limit=500", signal)).body,
    UNTOLD,
  );
  return (
    <>
      <h1>Schedules</h1>
      <Failure error={error} />
      <Damaged of={data} />
      {data?.length === 0 && (
        <p class="hint">
          There is no schedule. A flow's file says <code>schedules</code>, or somebody types{" "}
          <code>taskonaut schedule add</code>.
        </p>
      )}
      <AddSchedule />
      {data && data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Schedule</th>
              <th>Flow</th>
              <th class="wide">When</th>
              <th>Next</th>
              <th>Last</th>
              <th class="number wide">Fired</th>
              <th class="number wide">Skipped</th>
            </tr>
          </thead>
          <tbody>
            {data.map((schedule) => (
              <tr key={schedule.name}>
                <td>
                  <a href={hrefOf(`/schedules/${encodeURIComponent(schedule.name)}`)}>{schedule.name}</a>
                </td>
                <td>{schedule.flow_name}</td>
                <td class="wide">{timingOf(schedule)}</td>
                <td>
                  <Next schedule={schedule} now={now} />
                </td>
                <td>
                  <Last schedule={schedule} now={now} />
                </td>
                <td class="number wide">{schedule.fired_count}</td>
                <td class="number wide">{schedule.skipped_count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function One({ name }: { readonly name: string }): ComponentChild {
  const now = useNow();
  const [reason, setReason] = useState("");
  const path = `/schedules/${encodeURIComponent(name)}`;
  const {
    data: schedule,
    error,
    refresh,
  } = useLive(path, async (signal) => (await get<ScheduleDetails>(path, signal)).body, UNTOLD);
  const next = useLive(
    `${path} ${schedule?.next_at}`,
    async (signal) => (await get<readonly FiringTime[]>(`${path}/preview?count=10`, signal)).body,
    () => false,
  );
  if (!schedule) {
    if (!error) return null;
    return (
      <NotThere title={`Schedule ${name}`} back={{ path: "/schedules", title: "Show the schedules" }}>
        <Failure error={error} />
      </NotThere>
    );
  }
  const isPaused = schedule.paused_at !== null;
  return (
    <>
      <h1>
        {name} {isPaused && <span class="state person">PAUSED</span>}
      </h1>
      <Failure error={error} />
      <dl class="facts">
        <dt>Flow</dt>
        <dd>
          <a href={hrefOf(`/tasks?schedule=${encodeURIComponent(name)}`)}>{schedule.flow_name}</a>
        </dd>
        <dt>When</dt>
        <dd>{timingOf(schedule)}</dd>
        <dt>Next</dt>
        <dd>
          <Next schedule={schedule} now={now} />
        </dd>
        <dt>Last</dt>
        <dd>
          <Last schedule={schedule} now={now} />
        </dd>
        <dt>Made by</dt>
        <dd>{schedule.owner === "flow" ? "the flow's file" : "a command"}</dd>
        {schedule.pause_reason !== null && (
          <>
            <dt>Paused for</dt>
            <dd>{schedule.pause_reason}</dd>
          </>
        )}
      </dl>
      {!isPaused && (
        <label class="reason-field hands">
          Reason of a pause
          <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
      )}
      <section class="actions" aria-label="What can be done">
        {isPaused ? (
          <Order
            title="Resume"
            path={`${path}/resume`}
            command={commandLine("schedule", "resume", name)}
            isPrimary
            onDone={refresh}
          />
        ) : (
          <Order
            title="Pause"
            path={`${path}/pause`}
            json={reason.trim() === "" ? "{}" : JSON.stringify({ reason })}
            command={commandLine("schedule", "pause", name, ...(reason.trim() === "" ? [] : ["--reason", reason]))}
            onDone={refresh}
          />
        )}
        <Order
          title="Run now"
          path={`${path}/trigger`}
          command={commandLine("schedule", "trigger", name)}
          onDone={(task) => go(`/tasks/${(task as Task).id}`)}
        />
        {schedule.owner === "command" && (
          <Order
            title="Remove"
            path={`${path}/remove`}
            question={`Remove the schedule ${name}? Tasks that it has made stay.`}
            command={commandLine("schedule", "remove", name)}
            onDone={() => go("/schedules")}
          />
        )}
      </section>
      <h2>Next times</h2>
      <Failure error={next.error} />
      <ol class="times">
        {next.data?.map(({ at, wall, time_zone, clock_change }) => (
          <li key={at}>
            {wall.slice(0, 16).replace("T", " ")} <small>{time_zone}</small> {clockTime(at)} <small>here</small>
            {clock_change && <span class="state person">the clock changes</span>}
          </li>
        ))}
      </ol>
      {schedule.skips.length > 0 && (
        <>
          <h2>What made no task</h2>
          <ul class="plain">
            {schedule.skips.map(({ from, until, count, reason: why }) => (
              <li key={from}>
                {clockTime(from)}
                {count > 1 && ` to ${clockTime(until)}, ${count} times`}: {why}
              </li>
            ))}
          </ul>
        </>
      )}
      <Payloads input_payload={schedule.input_payload} />
    </>
  );
}

function timingOf({ cron, every_ms, time_zone }: Schedule): string {
  return cron === null ? `every ${exactly(every_ms ?? 0)}` : `${cron} (${time_zone})`;
}

function Next({ schedule, now }: { readonly schedule: Schedule; readonly now: number }): ComponentChild {
  const { due_at, next_at, paused_at, damage } = schedule;
  if (damage !== undefined) return <span class="state bad">DAMAGED</span>;
  if (paused_at !== null) return <span class="state person">PAUSED</span>;
  const at = due_at ?? next_at;
  return at === null ? "never" : <span title={clockTime(at)}>{age(at, now)}</span>;
}

function Last({ schedule, now }: { readonly schedule: Schedule; readonly now: number }): ComponentChild {
  const { last_fired_at: at, last_task_id: id } = schedule;
  if (at === null) return "never";
  const text = <span title={clockTime(at)}>{age(at, now)}</span>;
  return id === null ? text : <a href={hrefOf(`/tasks/${id}`)}>{text}</a>;
}

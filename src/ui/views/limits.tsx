// Why tasks wait although workers are free: limits with their use, and the tasks that wait for a turn.

import type { ComponentChild } from "preact";
import { describeRate, type Limit } from "../../core/api/limits.ts";
import { describeWaits } from "../../core/api/describe-waits.ts";
import { standingOf } from "../../core/api/standing.ts";
import type { ListedSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { commandLine } from "../command-line.ts";
import { age } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { Behind } from "../parts/behind.tsx";
import { Damaged } from "../parts/damaged.tsx";
import { Failure } from "../parts/failure.tsx";
import { Order } from "../parts/order.tsx";
import { Queues } from "../parts/queues.tsx";
import { SetLimit } from "../parts/set-limit.tsx";
import { State } from "../parts/state.tsx";
import { hrefOf } from "../router.ts";

const WAITING_SHOWN = 20;

export function Limits(): ComponentChild {
  const now = useNow();
  const limits = useLive("limits", async (signal) => (await get<readonly Limit[]>("/limits", signal)).body);
  return (
    <>
      <h1>Limits and queues</h1>
      <Failure error={limits.error} />
      <Damaged of={limits.data} />
      {limits.data?.length === 0 && (
        <p class="hint">
          No flow and no tool has a limit. Their files say <code>limits</code>.
        </p>
      )}
      {limits.data?.map((limit) => (
        <OneLimit
          key={`${limit.kind} ${limit.name}`}
          limit={limit}
          isAmbiguous={limits.data?.some(({ kind, name }) => name === limit.name && kind !== limit.kind) ?? false}
          now={now}
          onDone={limits.refresh}
        />
      ))}
      <Blocked now={now} />
      <Queues />
    </>
  );
}

interface OneProps {
  readonly limit: Limit;
  readonly isAmbiguous: boolean;
  readonly now: number;
  readonly onDone: () => void;
}

function OneLimit({ limit, isAmbiguous, now, onDone }: OneProps): ComponentChild {
  const { kind, name, max, running, waiting, rate_left: left, rate_next_at: next, set, keyed, damage } = limit;
  return (
    <article class="card">
      <h2>
        {name} <small>{kind === "flow" ? "tasks of the flow" : "steps of the tool"}</small>
        {damage !== undefined && <span class="state bad">DAMAGED</span>}
        {waiting > 0 && (
          <span class="state wait">
            {waiting > 100_000 ? "more than 100,000" : waiting.toLocaleString()} {waiting === 1 ? "waits" : "wait"}
          </span>
        )}
      </h2>
      <ul class="uses">
        <li>
          {max.running !== null && (
            <meter min={0} max={Math.max(1, max.running)} value={running} aria-label={`${running} of ${max.running}`} />
          )}{" "}
          <strong>{running.toLocaleString()}</strong>
          {max.running === null ? " at once" : ` of ${max.running.toLocaleString()} at once`}
        </li>
        {keyed && (
          <li>
            {max.running_per_key === null ? "any number" : <strong>{max.running_per_key.toLocaleString()}</strong>} of a
            key at once
          </li>
        )}
        {max.rate !== null && (
          <li>
            <strong>{describeRate(max.rate)}</strong>,{" "}
            {left === 0 && next !== null ? `more ${age(next, now)}` : `${left} left`}
          </li>
        )}
      </ul>
      {set !== null && (
        <div class="reason person">
          Set by {set.by}, {age(set.at, now)}
          {set.reason !== null && <>: {set.reason}</>}
          <Order
            title="Back to what the code says"
            path={`/limits/${encodeURIComponent(name)}/reset`}
            json={JSON.stringify({ kind })}
            command={commandLine("limits", "reset", name, ...(isAmbiguous ? ["--kind", kind] : []))}
            onDone={onDone}
          />
        </div>
      )}
      <Behind title="Change…" label={`Change ${name}`} look="small hands">
        {(close) => (
          <SetLimit
            limit={limit}
            isAmbiguous={isAmbiguous}
            onDone={() => {
              close();
              onDone();
            }}
          />
        )}
      </Behind>
    </article>
  );
}

/** Who waits, for what, and how many are ahead. */
function Blocked({ now }: { readonly now: number }): ComponentChild {
  const path = `/tasks?waiting-for=limit&view=summary&steps=none&limit=${WAITING_SHOWN}`;
  const { data, error } = useLive("blocked", (signal) => get<readonly ListedSummary[]>(path, signal));
  const damaged = data?.body.filter((task) => "damage" in task) ?? [];
  const tasks = data?.body.flatMap((task) => ("damage" in task ? [] : [task])) ?? [];
  if (error) return <Failure error={error} />;
  if (!data) return null;
  if (tasks.length === 0 && damaged.length > 0) return <Damaged of={damaged} />;
  if (tasks.length === 0) return <p class="hint">Nobody waits for a turn.</p>;
  return (
    <>
      <h2>Waiting for their turn</h2>
      <Damaged of={damaged} />
      <table>
        <thead>
          <tr>
            <th>Task</th>
            <th>Flow</th>
            <th class="number wide">Priority</th>
            <th>Waits</th>
            <th>Created</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={task.id}>
              <td>
                <a class="id" href={hrefOf(`/tasks/${task.id}`)}>
                  {task.id.slice(0, 13)}
                </a>
              </td>
              <td>{task.flow_name}</td>
              <td class="number wide">{task.priority}</td>
              <td>
                {task.waiting_for.length === 0 ? (
                  <State standing={standingOf(task, now)} />
                ) : (
                  describeWaits(task, now).join("; ")
                )}
              </td>
              <td>{age(task.created_at, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {data?.next !== undefined && <a href={hrefOf("/tasks?waiting-for=limit")}>Show all that wait for a limit</a>}
    </>
  );
}

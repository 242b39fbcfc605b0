// One task: how it stands, what can be done about it, its steps on a timeline, and what went in and came out.

import type { ComponentChild } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { age, clockTime, duration } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { Actions } from "../parts/actions.tsx";
import { Failure } from "../parts/failure.tsx";
import { Payload } from "../parts/payload.tsx";
import { State } from "../parts/state.tsx";
import { StepDetails } from "../parts/step-details.tsx";
import { TaskAudit } from "../parts/task-audit.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { go, hrefOf } from "../router.ts";
import { isEnded, describeWait, standingOfTask } from "../standing.ts";

/** Payloads of a larger record are asked for by hand: a page that reads 30 MB again and again helps nobody. */
const READ_WHOLE_BYTES = 1_000_000;

interface Props {
  readonly id: string;
  readonly query: URLSearchParams;
}

export function TaskView({ id, query }: Props): ComponentChild {
  const now = useNow();
  const {
    data: task,
    error,
    refresh,
  } = useLive(
    id,
    async (signal) => (await get<TaskSummary>(`/tasks/${encodeURIComponent(id)}?view=summary`, signal)).body,
    { isTold: true, events: ({ task_id, parent_task_id }) => task_id === id || parent_task_id === id },
  );
  const [isWanted, setWanted] = useState(false);
  const readsWhole = task !== undefined && (isWanted || task.recorded_bytes <= READ_WHOLE_BYTES);
  const { data: latest } = useLive(
    `${id} ${readsWhole ? task.updated_at : ""}`,
    async (signal) => (readsWhole ? (await get<Task>(`/tasks/${encodeURIComponent(id)}`, signal)).body : undefined),
    () => false,
  );
  const whole = useLast(latest);
  if (!task) return <Failure error={error} />;
  const chosen = Number(query.get("step") ?? Number.NaN);
  const step = task.steps.find(({ step_index }) => step_index === chosen);
  const choose = (index: number): void => {
    go(`/tasks/${id}${index === chosen ? "" : `?step=${index}`}`, { replace: true });
  };
  return (
    <>
      <h1>
        {task.flow_name} <State standing={standingOfTask(task, now)} />
      </h1>
      <Facts task={task} now={now} />
      <Failure error={error} />
      <Reason task={task} now={now} />
      <Actions task={task} onDone={refresh} />
      <div class={step ? "split" : undefined}>
        <Timeline task={task} now={now} chosen={chosen} onChoose={choose} />
        {step && (
          <StepDetails
            task={task}
            step={step}
            whole={whole?.steps.find(({ id: other }) => other === step.id)}
            onDone={refresh}
            onClose={() => choose(chosen)}
          />
        )}
      </div>
      {!readsWhole && (
        <button type="button" onClick={() => setWanted(true)}>
          Load inputs and outputs ({(task.recorded_bytes / 1e6).toFixed(0)} MB)
        </button>
      )}
      {whole && (
        <div class="pair">
          <Payload title="Input" value={whole.input_payload} />
          {whole.output_payload !== null && <Payload title="Output" value={whole.output_payload} />}
        </div>
      )}
      <TaskAudit id={id} version={task.updated_at} />
    </>
  );
}

/** The last that was there: while the next one is read, it stands. */
function useLast<Data>(data: Data | undefined): Data | undefined {
  const last = useRef(data);
  if (data !== undefined) last.current = data;
  return last.current;
}

function Facts({ task, now }: { readonly task: TaskSummary; readonly now: number }): ComponentChild {
  const took = (isEnded(task.status) ? Date.parse(task.updated_at) : now) - Date.parse(task.created_at);
  return (
    <dl class="facts">
      <dt>Task</dt>
      <dd class="id">{task.id}</dd>
      <dt>Created</dt>
      <dd title={clockTime(task.created_at)}>{age(task.created_at, now)}</dd>
      <dt>{isEnded(task.status) ? "Took" : "For"}</dt>
      <dd>{duration(took)}</dd>
      <dt>Priority</dt>
      <dd>{task.priority}</dd>
      {Object.keys(task.tags).length > 0 && (
        <>
          <dt>Tags</dt>
          <dd>
            {Object.entries(task.tags).map(([key, value]) => (
              <a key={key} class="tag" href={hrefOf(`/tasks?tag=${encodeURIComponent(`${key}=${value}`)}`)}>
                {key}={value}
              </a>
            ))}
          </dd>
        </>
      )}
      {task.parent_task_id !== null && (
        <>
          <dt>Parent</dt>
          <dd class="id">
            <a href={hrefOf(`/tasks/${task.parent_task_id}`)}>{task.parent_task_id}</a>
          </dd>
        </>
      )}
      {task.schedule !== null && (
        <>
          <dt>Schedule</dt>
          <dd>
            <a href={hrefOf(`/schedules/${encodeURIComponent(task.schedule)}`)}>{task.schedule}</a>
          </dd>
        </>
      )}
      {task.flow_file !== null && (
        <>
          <dt>File</dt>
          <dd>{task.flow_file}</dd>
        </>
      )}
    </dl>
  );
}

/** Why it failed, why it is parked, or what it waits for. Both sides of a divergence keep their lines. */
function Reason({ task, now }: { readonly task: TaskSummary; readonly now: number }): ComponentChild {
  if (task.error !== null) {
    return (
      <div class="reason bad">
        <strong>{task.error.name}</strong>
        <pre>{task.error.message}</pre>
        {task.error.at !== undefined && <small>{task.error.at}</small>}
      </div>
    );
  }
  if (task.parked_reason !== null) {
    return (
      <div class="reason person">
        <strong>Parked</strong>
        <pre>{task.parked_reason}</pre>
      </div>
    );
  }
  if (task.waiting_for.length === 0) return null;
  return (
    <ul class="reason wait">
      {task.waiting_for.map((wait) => (
        <li key={`${wait.kind} ${wait.name} ${wait.until}`}>
          Waits {describeWait(wait, now)}
          {wait.task_id !== null && (
            <>
              {" "}
              <a href={hrefOf(`/tasks/${wait.task_id}`)}>{wait.task_id}</a>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

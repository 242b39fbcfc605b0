// One task: its state, its actions, its steps on a timeline, and its input and output.

import type { ComponentChild } from "preact";
import { useRef, useState } from "preact/hooks";
import { BULK_FLOW } from "../../core/api/bulk.ts";
import { describeLeftUndone, describeWaits } from "../../core/api/describe-waits.ts";
import { standingOf } from "../../core/api/standing.ts";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { age, clockTime, duration } from "../format.ts";
import { useLive, useNow } from "../live.ts";
import { Actions } from "../parts/actions.tsx";
import { BulkProgress } from "../parts/bulk-progress.tsx";
import { Failure } from "../parts/failure.tsx";
import { NotThere } from "../parts/not-there.tsx";
import { Payloads } from "../parts/payload.tsx";
import { State } from "../parts/state.tsx";
import { StepDetails } from "../parts/step-details.tsx";
import { TaskAudit } from "../parts/task-audit.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { go, hrefOf } from "../router.ts";
import { useTaskWindow } from "../task-window.ts";
import { isEnded } from "../standing.ts";

/** Payloads of a larger record are loaded only on request: most users do not need that much. */
const READ_WHOLE_BYTES = 50_000_000;

interface Props {
  readonly id: string;
  readonly query: URLSearchParams;
}

export function TaskView({ id, query }: Props): ComponentChild {
  const now = useNow();
  const chosen = Number(query.get("step") ?? Number.NaN);
  const { task, steps, count, error, refresh, lookAt } = useTaskWindow(id, chosen);
  const [isWanted, setWanted] = useState(false);
  // who has chosen a step reads it; who has opened an address begins at the top
  const isChoosing = useRef(false);
  const readsPayloads = task !== undefined && (isWanted || task.recorded_bytes <= READ_WHOLE_BYTES);
  const step = steps.get(chosen);
  const whole = useWhole(readsPayloads ? `/tasks/${id}?steps=none` : undefined, String(task && isEnded(task.status)));
  const wholeStep = useWhole(
    readsPayloads && step ? `/tasks/${id}?steps=${chosen}-${chosen}` : undefined,
    step?.updated_at ?? "",
  );
  if (!task) {
    if (!error) return null;
    return (
      <NotThere title={`Task ${id}`}>
        <Failure error={error} />
      </NotThere>
    );
  }
  const choose = (index: number): void => {
    const next = new URLSearchParams(query);
    if (index === chosen) next.delete("step");
    else next.set("step", String(index));
    isChoosing.current = index !== chosen;
    if (index === chosen) focusStep(index);
    go(`/tasks/${id}${next.size > 0 ? `?${next.toString()}` : ""}`, { replace: true });
  };
  return (
    <>
      <h1>
        {task.flow_name} <State standing={standingOf(task, now)} />
      </h1>
      <Facts task={task} now={now} />
      <Failure error={error} />
      <Reason task={task} now={now} />
      {task.flow_name === BULK_FLOW && <BulkProgress task={task} all={Number(query.get("all") ?? Number.NaN)} />}
      <Actions task={task} onDone={refresh} />
      <div class={step ? "split" : undefined}>
        <Timeline task={task} steps={steps} count={count} now={now} chosen={chosen} onChoose={choose} onLook={lookAt} />
        {step && (
          <StepDetails
            task={task}
            step={step}
            now={now}
            takesFocus={isChoosing.current}
            whole={wholeStep?.steps.find(({ id: other }) => other === step.id)}
            onDone={refresh}
            onClose={() => choose(chosen)}
          />
        )}
      </div>
      {!readsPayloads && (
        <button type="button" onClick={() => setWanted(true)}>
          Load inputs and outputs ({(task.recorded_bytes / 1e6).toFixed(0)} MB)
        </button>
      )}
      {whole && (
        <div class="pair">
          <Payloads input_payload={whole.input_payload} output_payload={whole.output_payload} />
        </div>
      )}
      <TaskAudit id={id} version={task.updated_at} />
    </>
  );
}

/** The row of the step, or the list where the row is out of sight. */
function focusStep(index: number): void {
  const row = document.querySelector<HTMLElement>(`.scroller > ol > li:not(.of-child) button[data-step="${index}"]`);
  (row ?? document.querySelector<HTMLElement>(".scroller"))?.focus({ preventScroll: true });
}

/**
 * Loads the task once, and again when `version` changes; meanwhile the last one stays. Undefined path: loads nothing.
 */
function useWhole(path: string | undefined, version: string): Task | undefined {
  const { data } = useLive(
    `${path} ${version}`,
    async (signal) => (path === undefined ? undefined : (await get<Task>(path, signal)).body),
    () => false,
  );
  const last = useRef<{ path: string | undefined; task: Task | undefined }>({ path, task: undefined });
  if (last.current.path !== path) last.current = { path, task: undefined };
  if (data !== undefined) last.current.task = data;
  return last.current.task;
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
      {task.forked_from !== null && (
        <>
          <dt>Forked from</dt>
          <dd>
            <a href={hrefOf(`/tasks/${task.forked_from.task_id}`)}>{task.forked_from.task_id}</a>, step{" "}
            {task.forked_from.step}
          </dd>
        </>
      )}
      {task.traceparent !== null && (
        <>
          <dt>Trace</dt>
          <dd class="id">{task.traceparent.split("-")[1]}</dd>
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

/** Why the task failed or is parked, or what it waits for. Both sides of a divergence keep their lines. */
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
  if (task.left_undone !== null || task.cancel_reason !== null) {
    return (
      <div class="reason person">
        <strong>{task.cancel_reason ?? "Cancelled by force. What its flow could not clean up:"}</strong>
        <ul>
          {describeLeftUndone(task).map((phrase) => (
            <li key={phrase}>{phrase}</li>
          ))}
        </ul>
      </div>
    );
  }
  if (task.waiting_for.length === 0) return null;
  const phrases = describeWaits(task, now);
  return (
    <ul class="reason wait">
      {phrases.map((phrase, place) => {
        const child = task.waiting_for[place]?.task_id;
        return (
          <li key={phrase}>
            Waits {phrase}
            {child && (
              <>
                {" "}
                <a href={hrefOf(`/tasks/${child}`)}>Show the child</a>
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}

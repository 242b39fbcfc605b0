import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { standingOfStep } from "../../core/api/standing.ts";
import type { StepSummary, TaskStep, TaskSummary } from "../../core/api/task.ts";
import { clockTime, duration } from "../format.ts";
import { hrefOf } from "../router.ts";
import { isInDoubt } from "../standing.ts";
import { Fork } from "./fork.tsx";
import { Payloads } from "./payload.tsx";
import { Progress } from "./progress.tsx";
import { Settle } from "./settle.tsx";
import { State } from "./state.tsx";

interface Props {
  readonly task: TaskSummary;
  readonly step: StepSummary;
  readonly now: number;
  /** The step with its input and output. Undefined: it is not loaded. */
  readonly whole: TaskStep | undefined;
  readonly takesFocus: boolean;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function StepDetails({ task, step, now, whole, takesFocus, onDone, onClose }: Props): ComponentChild {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (takesFocus) box.current?.focus();
  }, [step.id]);
  return (
    <aside
      ref={box}
      class="card details"
      aria-label={`Step ${step.step_index}`}
      tabIndex={-1}
      onKeyDown={({ key }) => {
        if (key === "Escape") onClose();
      }}
    >
      <h2>
        {step.step_index} {step.step_name} <State standing={standingOfStep(step, now, task.status)} />
        <button type="button" class="small" onClick={onClose} aria-label="Close the step">
          Close
        </button>
      </h2>
      {isInDoubt(step) && (
        <>
          <p class="reason person">{step.doubt}</p>
          <Settle task={task} step={step} onDone={onDone} />
        </>
      )}
      {step.error !== null && (
        <div class="reason bad">
          <strong>{step.error.name}</strong>
          <pre>{step.error.message}</pre>
          {step.error.at !== undefined && <small>{step.error.at}</small>}
        </div>
      )}
      {step.child_task_id !== undefined && (
        <p>
          Runs <a href={hrefOf(`/tasks/${step.child_task_id}`)}>{step.child_task_id}</a>
        </p>
      )}
      {step.tool_calls.map((call) => (
        <Call key={call.id} call={call} />
      ))}
      <Fork id={task.id} from={step.step_index} />
      {whole && <Payloads input_payload={whole.input_payload} output_payload={whole.output_payload} />}
    </aside>
  );
}

function Call({ call }: { readonly call: StepSummary["tool_calls"][number] }): ComponentChild {
  const { started_at, finished_at, retry_count, last_error } = call;
  return (
    <dl class="facts">
      <dt>Tool</dt>
      <dd>{call.tool_name}</dd>
      <dt>Attempts</dt>
      <dd>{retry_count + 1}</dd>
      <dt>Started</dt>
      <dd>{clockTime(started_at)}</dd>
      {finished_at !== null && (
        <>
          <dt>Took</dt>
          <dd>{duration(Date.parse(finished_at) - Date.parse(started_at))}</dd>
        </>
      )}
      {call.progress !== null && (
        <>
          <dt>Progress</dt>
          <dd>
            <Progress progress={call.progress} />
          </dd>
        </>
      )}
      {last_error !== null && (
        <>
          <dt>Last error</dt>
          <dd>{last_error}</dd>
        </>
      )}
      <dt>Key</dt>
      <dd class="id">{call.idempotency_key}</dd>
    </dl>
  );
}

// The steps of a task along its time: a row for each, a bar for how long it took. Only rows that are seen are made, so that
// 20,000 steps scroll like twenty.

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { StepSummary, TaskSummary } from "../../core/api/task.ts";
import type { Progress as ToolProgress } from "../../core/record/progress.ts";
import { duration } from "../format.ts";
import { hrefOf } from "../router.ts";
import { isEnded, standingOfStep } from "../standing.ts";
import { State } from "./state.tsx";

const ROW_PX = 32;
/** Rows beyond the edges, so that a fast scroll shows no holes. */
const SPARE = 12;
const HEIGHT_MAX_PX = 640;

interface Props {
  readonly task: TaskSummary;
  readonly now: number;
  /** Its step_index; NaN: none. */
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

export function Timeline({ task, now, chosen, onChoose }: Props): ComponentChild {
  const [top, setTop] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const { steps } = task;
  const from = Date.parse(task.created_at);
  const to = useMemo(() => endOf(task, now), [task, isEnded(task.status) ? 0 : now]);
  const height = Math.min(HEIGHT_MAX_PX, steps.length * ROW_PX);
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
  const last = Math.min(steps.length, Math.ceil((top + height) / ROW_PX) + SPARE);
  useEffect(() => {
    const place = steps.findIndex(({ step_index }) => step_index === chosen);
    const box = scroller.current;
    if (place < 0 || !box) return;
    const at = place * ROW_PX;
    if (at < box.scrollTop || at + ROW_PX > box.scrollTop + height) box.scrollTop = at - height / 2;
  }, [chosen]);
  if (steps.length === 0) return <p class="hint">No step has been decided yet.</p>;
  return (
    <section class="timeline" aria-label="Steps">
      <p class="scale" aria-hidden="true">
        <span>0</span>
        <span>{duration((to - from) / 2)}</span>
        <span>{duration(to - from)}</span>
      </p>
      <div
        ref={scroller}
        class="scroller"
        style={{ height: `${height}px` }}
        tabIndex={-1}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <ol style={{ height: `${steps.length * ROW_PX}px` }}>
          {steps.slice(first, last).map((step, place) => (
            <Row
              key={step.id}
              step={step}
              place={first + place}
              from={from}
              to={to}
              now={now}
              isChosen={step.step_index === chosen}
              onChoose={onChoose}
            />
          ))}
        </ol>
      </div>
    </section>
  );
}

interface RowProps {
  readonly step: StepSummary;
  readonly place: number;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly isChosen: boolean;
  readonly onChoose: (index: number) => void;
}

function Row({ step, place, from, to, now, isChosen, onChoose }: RowProps): ComponentChild {
  const call = step.tool_calls.at(-1);
  const began = Date.parse(call?.started_at ?? step.created_at);
  const over = step.status === "RUNNING" ? now : Date.parse(call?.finished_at ?? step.updated_at);
  const isOpen = step.status === "PLANNED";
  const standing = standingOfStep(step);
  const share = (time: number): number => Math.min(100, Math.max(0, (100 * (time - from)) / Math.max(1, to - from)));
  const attempts = call ? call.retry_count + 1 : 0;
  return (
    <li style={{ top: `${place * ROW_PX}px` }}>
      <button
        type="button"
        class="step"
        aria-expanded={isChosen}
        onClick={() => onChoose(step.step_index)}
        title={step.error_message ?? ""}
      >
        <span class="index">{step.step_index}</span>
        <span class="name">{step.step_name}</span>
        <State standing={standing} />
        <span class="attempts">
          {call?.progress ? shortProgress(call.progress) : attempts > 1 && `${attempts} attempts`}
        </span>
        <span class="track">
          {!isOpen && (
            <span
              class={`piece ${standing.tone}`}
              style={{ left: `${share(began)}%`, width: `max(3px, ${share(over) - share(began)}%)` }}
            />
          )}
        </span>
        <span class="took">{isOpen ? "" : duration(over - began)}</span>
      </button>
      {step.child_task_id !== undefined && (
        <a class="child" href={hrefOf(`/tasks/${step.child_task_id}`)}>
          child
        </a>
      )}
    </li>
  );
}

/** In the place of attempts: `40 %`, or `1,200`. */
function shortProgress({ done, total, message }: ToolProgress): string {
  if (done === undefined) return message ?? "";
  return total ? `${Math.floor((100 * done) / total)} %` : done.toLocaleString();
}

/** When the last of it happened; of an open task: now. */
function endOf({ status, updated_at, created_at }: TaskSummary, now: number): number {
  return Math.max(Date.parse(created_at) + 1, isEnded(status) ? Date.parse(updated_at) : now);
}

// A step as a row of the timeline.

import type { ComponentChild } from "preact";
import { describeWaitShortly, standingOfStep } from "../../core/api/standing.ts";
import type { StepSummary, Waiting } from "../../core/api/task.ts";
import type { Progress as ToolProgress } from "../../core/record/progress.ts";
import type { TaskStatus } from "../../core/record/status.ts";
import { duration } from "../format.ts";
import { State } from "./state.tsx";

/** The time range of the bars, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Props {
  readonly style: { readonly top: string };
  readonly index: number;
  /** Undefined: it is loading. */
  readonly step: StepSummary | undefined;
  /** What the step waits for, if that is known. */
  readonly wait: Waiting | undefined;
  readonly ofTask: TaskStatus;
  readonly span: Span;
  readonly now: number;
  readonly isOfChild?: boolean;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  /** For a step that runs a child: whether the child's steps are shown below. */
  readonly isOpen?: boolean;
  readonly onToggle?: () => void;
}

export function StepRow(props: Props): ComponentChild {
  const { style, index, step, wait, ofTask, span, now, isOfChild, isChosen, onChoose, isOpen, onToggle } = props;
  if (!step) {
    return (
      <li style={style}>
        <span class="step">
          <span class="index">{index}</span>
          <span class="hint">…</span>
        </span>
      </li>
    );
  }
  // a step in doubt has its own text
  const standing =
    wait && wait.kind !== "doubt"
      ? {
          text: `WAITING ${describeWaitShortly(wait, now, { stepName: step.step_name })}`,
          tone: wait.kind === "signal" ? ("person" as const) : ("wait" as const),
        }
      : standingOfStep(step, now, ofTask);
  const bar = barOf(step, wait !== undefined, now);
  return (
    <li style={style} class={isOfChild ? "of-child" : undefined}>
      <button
        type="button"
        class="step"
        data-step={index}
        aria-expanded={isOfChild ? undefined : isChosen}
        onClick={onChoose}
        title={step.error_message ?? ""}
      >
        <span class="index">{index}</span>
        <span class="name">{step.step_name}</span>
        <State standing={standing} />
        <span class="attempts">{besideOf(step)}</span>
        <span class="track">
          {bar && <span class={`piece ${bar.isWait ? "waited" : standing.tone}`} style={placeOf(bar, span)} />}
        </span>
        <span class="took">{bar ? duration(bar.to - bar.from) : ""}</span>
      </button>
      {step.child_task_id !== undefined && onToggle && (
        <button
          type="button"
          class="small child"
          aria-expanded={isOpen}
          aria-label={`Steps of the child ${step.step_name}`}
          onClick={onToggle}
        >
          {isOpen ? "▾" : "▸"}
        </button>
      )}
    </li>
  );
}

interface Bar extends Span {
  /** Nothing ran: time passed, or the step waited for somebody. */
  readonly isWait: boolean;
}

/** Undefined: the step has not begun. */
function barOf(step: StepSummary, isWaiting: boolean, now: number): Bar | undefined {
  const call = step.tool_calls.at(-1);
  const isChild = step.child_task_id !== undefined;
  if (!call && step.status === "PLANNED" && !isWaiting && !isChild) return undefined;
  const isOpen = step.status === "RUNNING" || step.status === "PLANNED";
  const to = isOpen ? now : Date.parse(call?.finished_at ?? step.updated_at);
  return { from: Date.parse(call?.started_at ?? step.created_at), to, isWait: !call && !isChild };
}

function placeOf({ from, to }: Bar, span: Span): { readonly left: string; readonly width: string } {
  const share = (time: number): number =>
    Math.min(100, Math.max(0, (100 * (time - span.from)) / Math.max(1, span.to - span.from)));
  return { left: `${Math.min(share(from), 99.5)}%`, width: `max(3px, ${share(to) - share(from)}%)` };
}

/** The progress, or the number of attempts if it is not one. */
function besideOf({ tool_calls }: StepSummary): string {
  const call = tool_calls.at(-1);
  if (call?.progress) return shortProgress(call.progress);
  const attempts = tool_calls.reduce((sum, { retry_count }) => sum + retry_count + 1, 0);
  return attempts > 1 ? `${attempts} attempts` : "";
}

/** Takes the place of the attempts: `40 %`, or `1,200`. */
function shortProgress({ done, total, message }: ToolProgress): string {
  if (done === undefined) return message ?? "";
  return total ? `${Math.floor((100 * done) / total)} %` : done.toLocaleString();
}

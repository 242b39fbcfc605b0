// The steps of a task over time: a row for each, and a bar for its duration. The steps of a child are below the step
// that runs it. Only visible rows are rendered, and only visible steps are requested, so 20,000 steps scroll like
// twenty.

import type { ComponentChild } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { standingOf, waitsByStep } from "../../core/api/standing.ts";
import type { StepSummary, TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { duration } from "../format.ts";
import { useLive } from "../live.ts";
import { go, hrefOf } from "../router.ts";
import { isEnded } from "../standing.ts";
import { State } from "./state.tsx";
import { StepRow, type Span } from "./step-row.tsx";

const ROW_PX = 32;
/** Extra rows above and below, so that a fast scroll shows no holes. */
const SPARE = 16;
/** Rows are rendered again after a scroll of this length. */
const STRIDE_PX = 8 * ROW_PX;
const HEIGHT_MAX_PX = 640;
/** How many of a child's steps are shown inline. The child's own page shows all. */
const CHILD_STEPS = 200;

interface Props {
  readonly task: TaskSummary;
  /** The loaded steps, by step_index. */
  readonly steps: ReadonlyMap<number, StepSummary>;
  /** The number of all steps. */
  readonly count: number;
  readonly now: number;
  /** The step_index of the chosen step. NaN: none. */
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  /** Called with the step_index in the middle of the visible rows. */
  readonly onLook: (index: number) => void;
}

/** A step of the task, or below it the child that it runs, or a step of the child. */
type Line =
  | { readonly kind: "step"; readonly index: number }
  | {
      readonly kind: "child";
      readonly index: number;
      readonly child: TaskSummary | undefined;
      readonly step?: StepSummary;
    };

export function Timeline({ task, steps, count, now, chosen, onChoose, onLook }: Props): ComponentChild {
  const [top, setTop] = useState(0);
  const [children, setChildren] = useState<ReadonlyMap<number, TaskSummary | undefined>>(new Map());
  const scroller = useRef<HTMLDivElement>(null);
  const opened = [...children.keys()].toSorted((a, b) => a - b);
  const rows = count + opened.reduce((sum, index) => sum + linesBelow(children.get(index)), 0);
  const height = Math.min(HEIGHT_MAX_PX, rows * ROW_PX);
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
  const last = Math.min(rows, Math.ceil((top + height) / ROW_PX) + SPARE);
  const lineAt = (row: number): Line => {
    let before = 0;
    for (const index of opened) {
      // rows of the steps up to this one, and of the open children above it
      if (row < index + before) break;
      const child = children.get(index);
      const place = row - index - before;
      if (place < linesBelow(child)) {
        const step = child?.steps[place - 1];
        return { kind: "child", index, child, ...(step && { step }) };
      }
      before += linesBelow(child);
    }
    return { kind: "step", index: row - before + 1 };
  };
  const middle = lineAt(Math.floor((top + height / 2) / ROW_PX)).index;
  useEffect(() => onLook(middle), [middle]);
  useEffect(() => {
    const box = scroller.current;
    if (!(chosen >= 1 && chosen <= count) || !box) return;
    const above = opened.filter((index) => index < chosen);
    const at = (chosen - 1 + above.reduce((sum, index) => sum + linesBelow(children.get(index)), 0)) * ROW_PX;
    if (at < box.scrollTop || at + ROW_PX > box.scrollTop + height) box.scrollTop = at - height / 2;
  }, [chosen]);
  if (count === 0) return <p class="hint">No step has been decided yet.</p>;
  const span = spanOf(task, now);
  // what a step waits for is known only if all steps are loaded
  const waits = steps.size >= count ? waitsByStep(inOrder(task, steps)) : undefined;
  const toggle = (index: number): void => {
    setChildren((before) => {
      const after = new Map(before);
      if (!after.delete(index)) after.set(index, undefined);
      return after;
    });
  };
  const lines = Array.from({ length: last - first }, (_, place) => first + place);
  return (
    <section class="timeline" aria-label="Steps">
      <p class="scale" aria-hidden="true">
        <span>0</span>
        <span>{duration((span.to - span.from) / 2)}</span>
        <span>{duration(span.to - span.from)}</span>
      </p>
      {opened.map((index) => (
        <ChildReader
          key={index}
          id={steps.get(index)?.child_task_id}
          onRead={(child) => setChildren((before) => (before.has(index) ? new Map(before).set(index, child) : before))}
        />
      ))}
      <div
        ref={scroller}
        class="scroller"
        style={{ height: `${height}px` }}
        tabIndex={-1}
        onScroll={({ currentTarget }) => setTop(Math.floor(currentTarget.scrollTop / STRIDE_PX) * STRIDE_PX)}
      >
        <ol style={{ height: `${rows * ROW_PX}px` }}>
          {lines.map((row) => {
            const line = lineAt(row);
            const at = { top: `${row * ROW_PX}px` };
            if (line.kind === "step") {
              const step = steps.get(line.index);
              return (
                <StepRow
                  key={line.index}
                  style={at}
                  index={line.index}
                  step={step}
                  wait={step && waits?.get(step)}
                  ofTask={task.status}
                  span={span}
                  now={now}
                  isChosen={line.index === chosen}
                  onChoose={() => onChoose(line.index)}
                  isOpen={children.has(line.index)}
                  onToggle={() => toggle(line.index)}
                />
              );
            }
            const { child, step } = line;
            if (!child || !step) {
              return (
                <li key={`${line.index} child`} class="child-head" style={at}>
                  {child ? <ChildHead child={child} now={now} /> : <span class="hint">…</span>}
                </li>
              );
            }
            return (
              <StepRow
                key={`${line.index} ${step.step_index}`}
                style={at}
                isOfChild
                index={step.step_index}
                step={step}
                wait={undefined}
                ofTask={child.status}
                span={span}
                now={now}
                isChosen={false}
                onChoose={() => go(`/tasks/${child.id}?step=${step.step_index}`)}
              />
            );
          })}
        </ol>
      </div>
    </section>
  );
}

function ChildHead({ child, now }: { readonly child: TaskSummary; readonly now: number }): ComponentChild {
  const more = (child.step_count ?? 0) - child.steps.length;
  return (
    <>
      <a href={hrefOf(`/tasks/${child.id}`)}>{child.flow_name}</a> <State standing={standingOf(child, now)} />
      {more > 0 && <small>{more.toLocaleString()} more steps on its page</small>}
    </>
  );
}

/** Renders nothing. It loads the child as long as it is open. */
function ChildReader({
  id,
  onRead,
}: {
  readonly id: string | undefined;
  readonly onRead: (child: TaskSummary) => void;
}): ComponentChild {
  const { data } = useLive(
    `child ${id}`,
    async (signal) =>
      id === undefined
        ? undefined
        : (await get<TaskSummary>(`/tasks/${id}?view=summary&steps=1-${CHILD_STEPS}`, signal)).body,
    { isTold: true, events: ({ task_id }) => task_id === id },
  );
  useEffect(() => {
    if (data) onRead(data);
  }, [data]);
  return null;
}

/** The child's own row, and its steps when they are loaded. */
function linesBelow(child: TaskSummary | undefined): number {
  return 1 + (child?.steps.length ?? 0);
}

function inOrder(
  { waiting_for }: TaskSummary,
  steps: ReadonlyMap<number, StepSummary>,
): { readonly waiting_for: TaskSummary["waiting_for"]; readonly steps: readonly StepSummary[] } {
  return { waiting_for, steps: [...steps.values()].toSorted((a, b) => a.step_index - b.step_index) };
}

/** From the task's creation to its last change. For an open task, until now. */
function spanOf({ status, updated_at, created_at }: TaskSummary, now: number): Span {
  const from = Date.parse(created_at);
  return { from, to: Math.max(from + 1, isEnded(status) ? Date.parse(updated_at) : now) };
}

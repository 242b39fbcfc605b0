// A task that runs, as it is shown meanwhile: its steps, and the tasks below it. It is told of steps by the engine of this
// process in the moment (`TaskListener`), or reads summaries of a task that others drive. Nothing here waits or writes.

import type { FailedAttempt, TaskListener } from "../../core/api/task-listener.ts";
import type { Task, TaskSummary, Waiting } from "../../core/api/task.ts";
import { childTaskId } from "../../core/record/ids.ts";
import { parseJson } from "../../core/record/json.ts";
import type { Progress } from "../../core/record/progress.ts";
import type { JsonText, StepRow, TaskRow } from "../../core/record/record.ts";
import { isTerminal, type StepStatus, type TaskStatus } from "../../core/record/status.ts";
import { withoutPayloads } from "../view.ts";
import type { StepState, StepView } from "./step-view.ts";
import { viewsOf } from "./views-of.ts";

export interface TaskView {
  readonly id: string;
  /** Empty: not told yet. */
  flow: string;
  status: TaskStatus;
  /** Why nobody drives it before a person has resumed it. */
  parked: string | undefined;
  /** As it was read; undefined: this process has told of it since. */
  read: Task | undefined;
  /** By step_index. */
  readonly steps: ReadonlyMap<number, StepView>;
}

interface OwnTask extends TaskView {
  readonly steps: Map<number, StepView>;
}

export class RunModel implements TaskListener {
  readonly #tasks = new Map<string, OwnTask>();
  readonly #steps = new Map<string, StepView>();
  /** Ids of steps that run in this process. */
  readonly #here = new Set<string>();

  /** `time`: the wall clock. `onChange` is told of each change at once. */
  constructor(
    private readonly time: () => number,
    private readonly onChange: () => void = () => {},
  ) {}

  /** Undefined: nobody has told of it. */
  task(id: string): TaskView | undefined {
    return this.#tasks.get(id);
  }

  /** Whether steps run in this process: then it hears of everything. */
  get isHere(): boolean {
    return this.#here.size > 0;
  }

  /** A task as it was read: what was known of its steps is forgotten. */
  read(summary: TaskSummary): void {
    const { id, flow_name: flow, status, parked_reason } = summary;
    const steps = new Map(viewsOf(summary).map((step) => [step.index, step]));
    this.#tasks.set(id, {
      id,
      flow,
      status,
      parked: parked_reason ?? undefined,
      read: withoutPayloads(summary),
      steps,
    });
    for (const { id: stepId, step_index } of summary.steps) {
      const view = steps.get(step_index);
      if (view) this.#steps.set(stepId, view);
    }
    for (const step of steps.values()) this.#noteChild(step);
    const above = this.#tasks.get(summary.parent_task_id ?? "");
    for (const step of above?.steps.values() ?? []) if (step.childId === id) this.#noteChild(step);
    this.onChange();
  }

  /** A child that is there runs, whatever its parent's record says yet. */
  #noteChild(step: StepView): void {
    const child = step.childId === undefined ? undefined : this.#tasks.get(step.childId);
    if (step.state === "planned" && child && !isTerminal(child.status)) step.state = "running";
  }

  /** The tasks below this one that have not ended, as far as they are known by their ids. */
  openChildren(id: string): readonly string[] {
    const task = this.#tasks.get(id);
    if (!task || isTerminal(task.status)) return [];
    const open = [...task.steps.values()].filter(({ childId }) => childId !== undefined);
    // one that is planned may be there already: its parent says so later
    const states = ["running", "waiting", "planned"];
    return states.flatMap((state) => open.flatMap((step) => (step.state === state ? [step.childId ?? ""] : [])));
  }

  // ---- what this process does

  moved({ id, flow_name: flow, status }: TaskRow): void {
    Object.assign(this.#taskOf(id), { flow, status, read: undefined });
    this.onChange();
  }

  parked({ id }: TaskRow, reason: string): void {
    this.#taskOf(id).parked = reason;
    this.onChange();
  }

  planned(step: StepRow): void {
    const view = this.#viewOf(step);
    const wait = waitOf(step);
    if (wait) Object.assign(view, { state: "waiting", wait });
    this.onChange();
  }

  started(step: StepRow, attempt: number, attempts: number): void {
    const view = this.#viewOf(step);
    this.#here.add(step.id);
    view.since ??= this.time();
    this.#taskOf(step.task_id).read = undefined;
    Object.assign(view, {
      state: "running",
      attempt,
      attempts,
      nextAt: undefined,
      wait: undefined,
      progress: undefined,
    });
    this.onChange();
  }

  progressed(step: StepRow, progress: JsonText): void {
    this.#viewOf(step).progress = parseJson(progress) as Progress;
    this.onChange();
  }

  attemptFailed({ stepId, attempt, error, nextMs }: FailedAttempt): void {
    const view = this.#steps.get(stepId);
    if (!view) return;
    Object.assign(view, { state: "retrying", attempt: attempt + 1, error, nextAt: this.time() + nextMs });
    this.onChange();
  }

  postponed(step: StepRow, dueAt: number): void {
    const view = this.#viewOf(step);
    this.#here.delete(step.id);
    Object.assign(view, { state: "retrying", attempt: view.attempt + 1, nextAt: dueAt });
    this.onChange();
  }

  doubted(step: StepRow): void {
    this.#here.delete(step.id);
    this.#viewOf(step).state = "doubt";
    this.onChange();
  }

  ended(step: StepRow, status: StepStatus, error: string | undefined): void {
    const view = this.#viewOf(step);
    this.#here.delete(step.id);
    const tookMs = view.since === undefined ? undefined : Math.max(this.time() - view.since, 0);
    Object.assign(view, { state: STATES[status], tookMs, error, nextAt: undefined, wait: undefined });
    this.onChange();
  }

  #taskOf(id: string): OwnTask {
    let task = this.#tasks.get(id);
    if (!task) {
      task = { id, flow: "", status: "RUNNING", parked: undefined, read: undefined, steps: new Map() };
      this.#tasks.set(id, task);
    }
    return task;
  }

  #viewOf(step: StepRow): StepView {
    let view = this.#steps.get(step.id);
    if (!view) {
      const { step_index: index, step_name: name, kind, id } = step;
      view = newView(index, name, kind === "child" ? childTaskId(id) : undefined);
      this.#steps.set(id, view);
      this.#taskOf(step.task_id).steps.set(index, view);
    }
    return view;
  }
}

const STATES: Readonly<Record<StepStatus, StepState>> = {
  PLANNED: "planned",
  RUNNING: "running",
  COMPLETED: "completed",
  FAILED: "failed",
  CANCELLED: "cancelled",
};

function newView(index: number, name: string, childId: string | undefined): StepView {
  return {
    index,
    name,
    state: "planned",
    attempt: 1,
    attempts: undefined,
    since: undefined,
    tookMs: undefined,
    nextAt: undefined,
    wait: undefined,
    progress: undefined,
    childId,
    error: undefined,
  };
}

function waitOf({ kind, target, due_at }: StepRow): Waiting | undefined {
  if (kind !== "sleep" && kind !== "signal") return undefined;
  const until = due_at === null ? null : new Date(due_at).toISOString();
  return { kind: kind === "sleep" ? "time" : "signal", name: target, until, task_id: null };
}

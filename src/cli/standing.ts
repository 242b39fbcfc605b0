// How a task and its steps stand, in a few words: `COMPLETED`, `RUNNING 3 s`, `WAITING for signal approved`, `QUEUED`,
// `PARKED`, `IN DOUBT`.

import type { StepStatus, TaskStatus } from "../core/record/status.ts";
import { isStepOpen, isTerminal } from "../core/record/status.ts";
import type { Task, TaskStep, Waiting } from "../core/api/task.ts";
import type { Color } from "../log/paint.ts";
import { type Cell, showText } from "./cells.ts";
import { isQueued, stepsInDoubt } from "./describe-waits.ts";
import { describeAhead, roughly } from "./times.ts";

const STATUS_COLORS: Readonly<Record<TaskStatus | StepStatus, Color>> = {
  PLANNED: "dim",
  RUNNING: "cyan",
  WAITING_OBSERVATION: "cyan",
  COMPLETED: "green",
  FAILED: "red",
  CANCELLED: "yellow",
};

/** WAITING_OBSERVATION, the longest. */
const STATUS_COLUMNS = 19;

/** Names are at most a hundred characters, and tables cut them further. */
const NAME_COLUMNS = 60;

const IN_DOUBT: Cell = { text: "IN DOUBT", color: "yellow" };
const PARKED: Cell = { text: "PARKED", color: "yellow" };

/** Where no more is known of a task than its row: not what it waits for. */
export function standingOfBrief({ status, parked_reason }: Pick<Task, "status" | "parked_reason">): Cell {
  if (parked_reason !== null) return PARKED;
  return status === "WAITING_OBSERVATION" ? { text: "WAITING", color: "cyan" } : statusCell(status);
}

/** What a person has to see to comes first. `now` is the wall clock. */
export function standingOf(task: Task, now: number): Cell {
  const { status, due_at, lease_owner, parked_reason, waiting_for } = task;
  if (isTerminal(status)) return statusCell(status);
  if (stepsInDoubt(task).length > 0) return IN_DOUBT;
  if (parked_reason !== null) return PARKED;
  const wait = firstToTell(waiting_for);
  if (wait !== undefined) {
    const more = waiting_for.length > 1 ? ` (+${waiting_for.length - 1})` : "";
    return { text: `WAITING ${describeWaitShortly(wait, now, "")}${more}`, color: "cyan" };
  }
  if (isQueued(task)) {
    const ahead = describeAhead(due_at ?? "", now);
    return { text: ahead.startsWith("in") ? `QUEUED, ${ahead}` : "QUEUED", color: "cyan" };
  }
  if (lease_owner !== null) return runningCell(sinceOf(task), now);
  // between two transitions, and nobody makes the next one
  return status === "WAITING_OBSERVATION" ? { text: "WAITING to go on", color: "cyan" } : statusCell(status);
}

/** Of each step of a task, in their order. */
export function standingsOf(task: Task, now: number): readonly Cell[] {
  const inDoubt = new Set(stepsInDoubt(task));
  const waits = waitsByStep(task);
  return task.steps.map((step) => {
    if (inDoubt.has(step)) return IN_DOUBT;
    const wait = waits.get(step);
    if (wait) return { text: `WAITING ${describeWaitShortly(wait, now, step.step_name)}`, color: "cyan" };
    const call = step.tool_calls.at(-1);
    return step.status === "RUNNING" && call?.finished_at === null
      ? runningCell(call.started_at, now)
      : statusCell(step.status);
  });
}

/** A server's word, too, so it is shown like any other text. */
export function statusCell(status: TaskStatus | StepStatus): Cell {
  return { text: showText(status, STATUS_COLUMNS), color: STATUS_COLORS[status] };
}

/**
 * What each step waits for, while its task does nothing else. Both are in the order of the steps, and open steps that do
 * not wait stand behind those that do: a plan goes on when its first one has ended.
 */
export function waitsByStep({ steps, waiting_for }: Task): ReadonlyMap<TaskStep, Waiting> {
  const waits = new Map<TaskStep, Waiting>();
  const open = steps.filter(({ status }) => isStepOpen(status));
  for (const [place, wait] of waiting_for.entries()) {
    const step = open[place];
    if (step) waits.set(step, wait);
  }
  return waits;
}

/** What others do about it is worth more words than time, which passes by itself. */
const TOLD_FIRST: readonly Waiting["kind"][] = ["doubt", "pause", "signal", "child", "limit", "retry", "time"];

function firstToTell(waits: readonly Waiting[]): Waiting | undefined {
  for (const kind of TOLD_FIRST) {
    const found = waits.find((wait) => wait.kind === kind);
    if (found) return found;
  }
  return waits[0];
}

/** What stands behind `WAITING`. `stepName` stands beside it already: it is not said again. */
export function describeWaitShortly({ kind, name, until }: Waiting, now: number, stepName: string): string {
  const ahead = until === null ? "" : describeAhead(until, now);
  const later = ahead === "now" ? "" : ahead;
  const shown = name === stepName ? "" : showText(name ?? "", NAME_COLUMNS);
  const words = ((): readonly string[] => {
    switch (kind) {
      case "time":
        return later === "" ? ["for time to pass"] : [later.replace(/^in /, ""), "more"];
      case "signal":
        return ["for signal", shown];
      case "child":
        return ["for child", shown];
      case "retry":
        return ["to retry", shown, later];
      case "doubt":
        return ["for a person to settle", shown];
      case "limit":
        return ["for its turn:", shown];
      case "pause":
        return ["for the end of a pause"];
      default:
        // of a server that knows more kinds than this version
        return ["for", showText(String(kind), NAME_COLUMNS)];
    }
  })();
  return words.filter((word) => word !== "").join(" ");
}

function runningCell(since: string, now: number): Cell {
  const ms = now - Date.parse(since);
  return { text: ms >= 1000 ? `RUNNING ${roughly(ms)}` : "RUNNING", color: "cyan" };
}

/** Since when the tool runs that is called now; of several the first. Where none is, since its last transition. */
function sinceOf({ steps, updated_at }: Task): string {
  for (const { status, tool_calls } of steps) {
    const call = tool_calls.at(-1);
    if (status === "RUNNING" && call?.finished_at === null) return call.started_at;
  }
  return updated_at;
}

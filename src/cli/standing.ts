// How a task and its steps stand, as cells of a terminal: in the words that the dashboard has too, and in colors.

import type { Task, TaskSummary } from "../core/api/task.ts";
import {
  standingOf as standingOfTask,
  standingOfBrief as standingOfRow,
  standingOfStatus,
  standingsOf as standingsOfSteps,
  type Standing,
  type Tone,
} from "../core/api/standing.ts";
import type { StepStatus, TaskStatus } from "../core/record/status.ts";
import type { Color } from "../log/paint.ts";
import { type Cell, showText } from "./cells.ts";

const COLORS: Readonly<Record<Tone, Color>> = {
  good: "green",
  bad: "red",
  busy: "cyan",
  wait: "cyan",
  person: "yellow",
  cancelled: "yellow",
  quiet: "dim",
};

/** WAITING_OBSERVATION, the longest. */
const STATUS_COLUMNS = 19;

/** Names are at most a hundred characters, and tables cut them further. */
const NAME_COLUMNS = 60;

/** For a task of which only the row is known, not what it waits for. */
export function standingOfBrief(task: Pick<Task, "status" | "parked_reason">): Cell {
  return toCell(standingOfRow(task));
}

/** States that need a person come first. `now` is the wall clock. */
export function standingOf(task: TaskSummary, now: number): Cell {
  return toCell(standingOfTask(task, now, showName));
}

/** Of each step of a task, in their order. */
export function standingsOf(task: TaskSummary, now: number): readonly Cell[] {
  return standingsOfSteps(task, now, showName).map(toCell);
}

/** A server's word, too, so it is shown like any other text. */
export function statusCell(status: TaskStatus | StepStatus): Cell {
  const { text, tone } = standingOfStatus(status);
  return { text: showText(text, STATUS_COLUMNS), color: COLORS[tone] };
}

/** Without what a terminal would obey. */
export function showName(name: string): string {
  return showText(name, NAME_COLUMNS);
}

/** A wait has the color of running work, whoever ends the wait. */
function toCell({ text, tone }: Standing): Cell {
  return { text, color: text.startsWith("WAITING ") ? "cyan" : COLORS[tone] };
}

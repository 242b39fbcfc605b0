// A running task as lines: its id, then a line for each step that there is room for, and one that counts the others.

import type { Look } from "../look.ts";
import { showText } from "../cells.ts";
import { describeWaitShortly } from "../../core/api/standing.ts";
import { showName, standingOf } from "../standing.ts";
import { type Column, drawRows, layOut } from "../table.ts";
import { describeProgress } from "../describe-progress.ts";
import { describeMs } from "../times.ts";
import type { Color } from "../../log/paint.ts";
import { choose, type Entry, entriesOf } from "./choose-steps.ts";
import { lineColumns } from "./live-area.ts";
import type { StepState, StepView } from "./step-view.ts";
import type { RunModel } from "./run-model.ts";

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const MARKS: Readonly<Record<StepState, readonly [mark: string, color: Color]>> = {
  planned: ["·", "dim"],
  running: ["", "cyan"], // it turns
  retrying: ["↻", "yellow"],
  waiting: ["◌", "cyan"],
  doubt: ["?", "yellow"],
  completed: ["✔", "green"],
  failed: ["✖", "red"],
  cancelled: ["–", "yellow"],
};

export interface Frame extends Pick<Look, "columns" | "paint"> {
  /** How many lines there may be. */
  readonly rows: number;
  /** The wall clock, in milliseconds. */
  readonly now: number;
  /** Since when the task runs here; undefined: others drive it. */
  readonly since: number | undefined;
}

/** How often the spinner turns. */
export const TURN_MS = 100;

/** In lines that are narrower than the terminal (`LA3`). */
export function drawRun(model: RunModel, id: string, frame: Frame): readonly string[] {
  const columns = lineColumns(frame.columns);
  const head = drawHead(model, id, { ...frame, columns });
  const room = Math.max(frame.rows - head.length, 1);
  const { shown, rest } = choose(entriesOf(model, id), room);
  const layout = layOut(
    COLUMNS,
    shown.map((entry) => ({ entry, frame })),
    { width: columns },
  );
  const lines = drawRows(
    layout,
    shown.map((entry) => ({ entry, frame })),
    frame.paint,
  );
  return [
    ...head,
    ...lines.map((line, place) => paintMark(line, shown[place], frame)),
    ...(rest === "" ? [] : [frame.paint("dim", showText(`  ${rest}`, columns))]),
  ];
}

function drawHead(model: RunModel, id: string, frame: Frame): readonly string[] {
  const { columns, paint, now, since } = frame;
  const flow = model.task(id)?.flow ?? "";
  const standing = standsStill(model, id, now);
  const mark = `${paint("cyan", standing === undefined ? turnOf(now) : MARKS.waiting[0])} `;
  const elapsed = since === undefined ? "" : describeElapsed(now - since);
  const facts = [flow, standing ?? "", elapsed].filter((text) => text !== "").join("  ");
  const idText = paint("bold", showText(id, columns - 2));
  const room = columns - 2 - id.length - 2;
  if (Bun.stringWidth(facts) <= room) return [`${mark}${idText}  ${facts}`];
  return [`${mark}${idText}`, `  ${showText(facts, columns - 2)}`];
}

/** What it waits for, in words; undefined: it runs, as far as is known. */
export function standsStill(model: RunModel, id: string, now: number): string | undefined {
  const task = model.task(id);
  if (task?.parked !== undefined) return "PARKED";
  if (!task?.read || [...task.steps.values()].some(({ state }) => state === "running")) return undefined;
  const { text } = standingOf(task.read, now);
  return STILL.test(text) ? text : undefined;
}

const STILL = /^(?:WAITING|QUEUED|PARKED|IN DOUBT)/;

function turnOf(now: number): string {
  return SPINNER[Math.floor(now / TURN_MS) % SPINNER.length] ?? "";
}

/** To a tenth of a second as long as that says something. */
function describeElapsed(ms: number): string {
  return ms < 60_000 ? `${(Math.max(ms, 0) / 1000).toFixed(1)} s` : describeMs(ms);
}

interface Row {
  readonly entry: Entry;
  readonly frame: Frame;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    head: "",
    least: 10,
    most: 44,
    show: ({ entry, frame }, width) => ({ text: showText(labelOf(entry, frame), width) }),
  },
  {
    head: "",
    right: true,
    goes: 1,
    show: ({ entry: { step }, frame: { now } }) => ({ text: timeOf(step, now), color: "dim" }),
  },
  {
    head: "",
    least: 12,
    show: ({ entry: { step }, frame: { now } }, width) => {
      const { text, color } = noteOf(step, now);
      return { text: showText(text, width), ...(color && { color }) };
    },
  },
];

function indentOf({ depth }: Entry): string {
  return "  ".repeat(depth + 1);
}

function markOf({ step }: Entry, { now }: Frame): string {
  return step.state === "running" ? turnOf(now) : MARKS[step.state][0];
}

function labelOf(entry: Entry, frame: Frame): string {
  const { index, name } = entry.step;
  return `${indentOf(entry)}${markOf(entry, frame)} ${index} ${name}`;
}

function paintMark(line: string, entry: Entry | undefined, frame: Frame): string {
  if (!entry) return line;
  const start = indentOf(entry).length;
  const mark = markOf(entry, frame);
  if (!line.startsWith(mark, start)) return line;
  const painted = frame.paint(MARKS[entry.step.state][1], mark);
  return line.slice(0, start) + painted + line.slice(start + mark.length);
}

function timeOf({ state, since, tookMs }: StepView, now: number): string {
  if (tookMs !== undefined) return describeMs(tookMs);
  return since === undefined || state === "planned" ? "" : describeElapsed(now - since);
}

function noteOf(step: StepView, now: number): { readonly text: string; readonly color?: Color } {
  const { state, name, wait, error } = step;
  switch (state) {
    case "running":
      return noteOfRunning(step);
    case "retrying":
      return { text: tellRetry(step, now), color: "yellow" };
    case "waiting":
      return {
        text: wait ? `WAITING ${describeWaitShortly(wait, now, { stepName: name, show: showName })}` : "WAITING",
        color: "cyan",
      };
    case "doubt":
      return { text: "IN DOUBT", color: "yellow" };
    case "failed":
      return { text: error ?? "FAILED", color: "red" };
    case "cancelled":
      return { text: "CANCELLED", color: "yellow" };
    case "planned":
    case "completed":
      return { text: "" };
  }
}

/** `attempt 2 of 3, 1,200 of 5,000 (24 %)` */
function noteOfRunning(step: StepView): { readonly text: string; readonly color?: Color } {
  const progress = describeProgress(step.progress);
  if (step.attempt === 1) return progress === "" ? { text: "" } : { text: progress, color: "cyan" };
  return { text: [describeAttempt(step), progress].filter((text) => text !== "").join(", "), color: "yellow" };
}

/** `attempt 2 of 3` */
export function describeAttempt({ attempt, attempts }: StepView): string {
  return attempts === undefined ? `attempt ${attempt}` : `attempt ${attempt} of ${attempts}`;
}

/** `attempt 2 of 3 in 400 ms: connection refused` */
export function tellRetry(step: StepView, now: number): string {
  const { nextAt, error } = step;
  const ms = nextAt === undefined ? 0 : Math.max(nextAt - now, 0);
  const ahead = ms > 0 ? ` in ${describeMs(ms < 1000 ? Math.ceil(ms / 100) * 100 : ms)}` : "";
  return `${describeAttempt(step)}${ahead}${error === undefined ? "" : `: ${error}`}`;
}

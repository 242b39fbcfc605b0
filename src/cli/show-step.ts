// One step of a task for a person, whole: nothing is cut, so long values run over as many lines as they need.

import type { Json } from "../core/record/json-value.ts";
import type { StoredError } from "../core/record/stored-error.ts";
import type { Task, TaskStep, Timestamp, ToolCall } from "../core/api/task.ts";
import type { Color } from "../log/paint.ts";
import { escapeControls, showControls } from "../core/visible.ts";
import { firstThatFits, wrapText } from "./cells.ts";
import { describeProgress } from "./describe-progress.ts";
import type { Look } from "./look.ts";
import { standingsOf, statusCell } from "./standing.ts";
import { describeAge, describeMs, showTime } from "./times.ts";

/** A heading with its text below, or beside it if the text is short. */
interface Part {
  readonly name: string;
  readonly lines: readonly string[];
  readonly color?: Color | undefined;
}

const NAME_COLUMNS = 10;
const WIDTH_MIN = 10;

/** Ends with a line break. Without `payloads` the step has no input and output, and they are not mentioned. */
export function showWholeStep(task: Task, step: TaskStep, look: Look, { payloads = true } = {}): string {
  const width = Math.max(look.columns - NAME_COLUMNS, WIDTH_MIN);
  const wrap = (text: string): readonly string[] => wrapText(text, width);
  const now = look.now();
  const standing = standingsOf(task, now)[task.steps.indexOf(step)] ?? statusCell(step.status);
  const tellTime = (time: Timestamp): string => {
    const age = describeAge(time, now);
    return firstThatFits(width, [`${showTime(time)}  (${age})`, showTime(time), age]);
  };
  const parts: readonly Part[] = [
    { name: "step", lines: wrap(`${step.step_index} ${step.step_name}`), color: "bold" },
    { name: "task", lines: [showControls(task.id)] },
    { name: "flow", lines: wrap(task.flow_name) },
    { name: "status", lines: wrap(standing.text), color: standing.color },
    ...partOf("child", step.child_task_id ?? null),
    { name: "decided", lines: [tellTime(step.created_at)] },
    { name: "updated", lines: [tellTime(step.updated_at)] },
    ...(step.doubt === null ? [] : [{ name: "doubt", lines: wrap(step.doubt), color: "yellow" as const }]),
    ...(payloads ? jsonPart("input", step.input_payload) : []),
    ...(payloads && step.status === "COMPLETED" ? jsonPart("output", step.output_payload) : []),
    ...errorParts("error", step.error, step.error_message, wrap),
    ...step.tool_calls.flatMap((call, place) => callParts(call, { place, step, wrap, tellTime })),
  ];
  return `${parts.flatMap((part) => draw(part, look)).join("\n")}\n`;
}

function draw({ name, lines, color }: Part, { paint }: Look): readonly string[] {
  const shown = color === undefined ? lines : lines.map((line) => paint(color, line));
  const [first = "", ...others] = shown;
  const indent = " ".repeat(NAME_COLUMNS);
  const padding = " ".repeat(Math.max(NAME_COLUMNS - Bun.stringWidth(name), 2));
  return [`${paint("dim", name)}${padding}${first}`.trimEnd(), ...others.map((line) => `${indent}${line}`)];
}

/** An id or a key: on one line, so that it can be copied. */
function partOf(name: string, text: string | null): Part[] {
  return text === null ? [] : [{ name, lines: [showControls(text)] }];
}

function jsonPart(name: string, value: Json): Part[] {
  return [{ name, lines: escapeControls(JSON.stringify(value, null, 2)).split("\n") }];
}

/** The error, its place, and the chain of its causes. */
function errorParts(
  name: string,
  error: StoredError | null,
  message: string | null,
  wrap: (text: string) => readonly string[],
): Part[] {
  if (!error) return message === null ? [] : [{ name, lines: wrap(message), color: "red" }];
  const code = error.code === undefined ? "" : ` (${error.code})`;
  const violations = (error.errors ?? []).flatMap((each) => wrap(`${each.path || "(whole)"}: ${each.message}`));
  return [
    { name, lines: [...wrap(`${error.name}: ${error.message}${code}`), ...violations], color: "red" },
    ...partOf("at", error.at ?? null),
    ...(error.fields === undefined ? [] : jsonPart("fields", error.fields)),
    ...(error.members ?? []).flatMap((member) => errorParts("member", member, null, wrap)),
    ...(error.cause === undefined ? [] : errorParts("cause", error.cause, null, wrap)),
  ];
}

interface CallContext {
  readonly place: number;
  readonly step: TaskStep;
  readonly wrap: (text: string) => readonly string[];
  readonly tellTime: (time: Timestamp) => string;
}

/** Leaves out what its step has said already. */
function callParts(call: ToolCall, { place, step, wrap, tellTime }: CallContext): Part[] {
  const attempts = `${call.retry_count + 1} ${call.retry_count === 0 ? "attempt" : "attempts"}`;
  const took =
    call.finished_at === null ? "" : `, ${describeMs(Date.parse(call.finished_at) - Date.parse(call.started_at))}`;
  const isSameError = Bun.deepEquals(call.error, step.error);
  return [
    { name: "", lines: [] },
    {
      name: place === 0 ? "call" : `call ${place + 1}`,
      lines: wrap(`${call.tool_name}: ${statusCell(call.status).text}, ${attempts}${took}`),
      color: statusCell(call.status).color,
    },
    { name: "started", lines: [tellTime(call.started_at)] },
    ...(call.finished_at === null ? [] : [{ name: "finished", lines: [tellTime(call.finished_at)] }]),
    ...(call.progress
      ? [{ name: "progress", lines: wrap(describeProgress(call.progress)), color: "cyan" as const }]
      : []),
    ...partOf("key", call.idempotency_key),
    ...(Bun.deepEquals(call.request_payload, step.input_payload) ? [] : jsonPart("request", call.request_payload)),
    ...(call.status !== "COMPLETED" || Bun.deepEquals(call.response_payload, step.output_payload)
      ? []
      : jsonPart("response", call.response_payload)),
    ...(isSameError ? [] : errorParts("error", call.error, call.error_message, wrap)),
    ...(call.last_error === null || call.last_error === call.error_message
      ? []
      : [{ name: "tried", lines: wrap(call.last_error), color: "yellow" as const }]),
  ];
}

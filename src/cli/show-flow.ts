// One flow for people: what it takes, what it waits for, which tools it calls, and a call that runs it.

import type { CheckedInput } from "../core/api/flow-catalog.ts";
import type { Pause } from "../core/api/pauses.ts";
import type { FlowDescription, FlowSchedule } from "../core/api/taskonaut.ts";
import { showControls } from "../core/visible.ts";
import { wrapText } from "./cells.ts";
import type { Command } from "./command.ts";
import { exampleInput, exampleLine, fieldsSection, type FoundFlow, signalLines, signalsSection } from "./flow-help.ts";
import { type HelpRow, type HelpSection, layRows } from "./help-rows.ts";
import type { Hints } from "./hint.ts";
import type { Look } from "./look.ts";
import { tellTiming } from "./show-schedules.ts";
import { describeAhead, exactly } from "../core/times.ts";
import { describeAge } from "./times.ts";

export interface ShownFlow {
  readonly found: FoundFlow;
  /** The command that runs it. */
  readonly runFlow: Command;
  readonly hints: Hints;
}

/** Ends with a line break. */
export function showFlow({ found, runFlow, hints }: ShownFlow, { columns, paint, now }: Look): string {
  const { flow } = found;
  const example = exampleLine(found, runFlow, hints);
  const run =
    example === undefined
      ? wrapText("No input is known that it takes for sure: give the fields above.", columns - 2).map(
          (line) => `  ${line}`,
        )
      : [`  ${example}`];
  const sections: readonly (HelpSection | undefined)[] = [
    {
      body: [paint("bold", showControls(flow.name)), ...wrapText(flow.description, columns)].filter(Boolean).join("\n"),
    },
    { body: layRows(factsOf(found, now()), { columns }).replaceAll(/^ {2}/gm, "") },
    fieldsSection(flow, runFlow, columns),
    signalsSection(flow, columns),
    { title: "Run it", body: run.join("\n") },
    {
      title: "Signal it",
      body: signalLines(flow, hints)
        .map((line) => `  ${line}`)
        .join("\n"),
    },
  ];
  const shown = sections.filter((section) => section !== undefined).filter(({ body }) => body !== "");
  return `${shown.map(({ title, body }) => (title === undefined ? body : `${paint("bold", title)}:\n${body}`)).join("\n\n")}\n`;
}

function factsOf(found: FoundFlow, now: number): readonly HelpRow[] {
  const { form, file, concurrency, retention_ms } = found.flow;
  return [
    { name: "form", text: FORMS[form] },
    { name: "file", text: file ?? "built in" },
    { name: "limit", text: describeLimit(concurrency) },
    { name: "kept", text: describeRetention(retention_ms) },
    { name: "tools", text: describeTools(found) },
    ...found.flow.schedules.map((schedule, place) => {
      return { name: place === 0 ? "schedules" : "", text: describeSchedule(schedule, now) };
    }),
    ...found.flow.pauses.map((pause) => ({ name: "paused", text: describePause(pause, now) })),
  ];
}

const FORMS: Readonly<Record<FlowDescription["form"], string>> = {
  plan: "plan: all its steps are known when a task is created",
  run: "run: it decides on each step by the outcomes before it",
};

function describeLimit(concurrency: number | null): string {
  if (concurrency === null) return "none: any number of its tasks run at once";
  return `${concurrency} ${concurrency === 1 ? "task runs" : "tasks run"} at once, over all workers; those that wait do not count`;
}

/** `nightly: 30 2 * * * Europe/Berlin, in 14 h` */
function describeSchedule(schedule: FlowSchedule, now: number): string {
  const { name, next_at, paused_at } = schedule;
  const next = paused_at !== null ? ", paused" : next_at === null ? "" : `, ${describeAhead(next_at, now)}`;
  return `${showControls(name)}: ${tellTiming(schedule)}${next}`;
}

/** `by ada, 2 min ago: the bank is down` */
function describePause({ scope, by, since, reason }: Pause, now: number): string {
  const all = scope === "all" ? "with everything, " : "";
  return `${all}by ${showControls(by)}, ${describeAge(since, now)}${reason === null ? "" : `: ${showControls(reason)}`}`;
}

/** `completed 30 d, failed 90 d, cancelled for ever` */
function describeRetention(retention: FlowDescription["retention_ms"]): string {
  const kept = Object.entries(retention).map(([end, ms]) => `${end} ${ms === null ? "for ever" : exactly(ms)}`);
  return `${kept.join(", ")}, from the end of a task on`;
}

/** Only what the definition tells: nobody has run it. */
function describeTools(found: FoundFlow): string {
  if (found.flow.form === "run") return "not known before it runs: get-task shows those that a task has called";
  const steps = exampleInput(found)?.steps;
  if (!steps) return "known with an input only: validate shows the steps that it plans";
  const names = [...new Set(steps.map((step: NonNullable<CheckedInput["steps"]>[number]) => step.tool_name))];
  return names.length === 0 ? "none" : `${names.map(showControls).join(", ")} (with the input below)`;
}

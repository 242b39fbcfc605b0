import {
  EVENT_FILTERS,
  EVENT_KINDS,
  type EventKind,
  type Listening,
  problemOfPair,
  type TaskEvent,
  type Told,
} from "../../core/api/events.ts";
import { filterPairs } from "../../core/api/filter-text.ts";
import { suggest } from "../../core/nearest.ts";
import { showText } from "../cells.ts";
import type { Option } from "../option.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { FILTER_OPTIONS, readFilterOptions } from "../filter-options.ts";
import { toJson } from "../print.ts";
import { findTaskId } from "../task-id.ts";
import { roughly } from "../../core/times.ts";
import { usageError } from "../usage.ts";
import { untilSignal } from "../watch.ts";

const KIND_OPTION: Option = {
  name: "kind",
  value: "kind",
  repeatable: true,
  summary: `Only these; may be repeated: ${EVENT_KINDS.join(", ")}`,
};

const NAMES = new Set(EVENT_FILTERS.map(({ name }) => name));

export const watch: Command = {
  name: "watch",
  summary: "Show what happens to tasks, while it happens",
  about:
    "A line for each event, until Ctrl-C, whichever process does it; a pipe gets JSON, a line for each. Of a task, or of all that match.",
  args: [{ name: "task", required: false }],
  options: [KIND_OPTION, ...FILTER_OPTIONS.filter(({ name }) => NAMES.has(name))],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: ["watch", "watch --flow echo_add --kind ended", "watch --needs-person --format ndjson"],

  async run(call) {
    const { name, ...listening } = readListening(call);
    return withTaskonaut(call, async (taskonaut) => {
      const tasks = name === undefined ? undefined : [await findTaskId(taskonaut, name, call.look.now)];
      await untilSignal(call, async (signal) => {
        const show = call.look.style === "readable" ? showLine : showJsonLine;
        for await (const batch of taskonaut.events.listen({ ...listening, tasks, signal })) {
          for (const told of batch) if (!(await show(call, told))) return;
        }
      });
      return 0;
    });
  },
};

/** Throws usage with every problem. */
function readListening(call: Call): Listening & { readonly name: string | undefined } {
  const filter = readFilterOptions(call);
  const kinds = call.lists.get("kind")?.map((text) => EVENT_KINDS.find((each) => each === text) ?? text);
  const errors = [
    ...filterPairs(filter).flatMap((pair) => {
      const message = problemOfPair(pair);
      return message === undefined ? [] : [{ path: `--${pair[0]}`, message }];
    }),
    ...(kinds ?? []).flatMap((kind) => {
      if (isKind(kind)) return [];
      const message = `expected ${EVENT_KINDS.join(", ")}, got ${JSON.stringify(kind)}${suggest(kind, EVENT_KINDS)}`;
      return [{ path: "--kind", message }];
    }),
  ];
  if (errors.length > 0) throw usageError(errors);
  return { filter, kinds: kinds?.filter(isKind), name: call.args[0] };
}

function isKind(text: string): text is EventKind {
  return EVENT_KINDS.some((kind) => kind === text);
}

/** False: nobody reads any more. What is no event is said on stderr. */
async function showLine({ io, look, talk }: Call, told: Told): Promise<boolean> {
  const say = async (text: string): Promise<boolean> => {
    await io.stderr.write(`${talk("dim", text)}\n`);
    return true;
  };
  switch (told.kind) {
    case "quiet":
      return true;
    case "ready":
      return say("Listening. Ctrl-C stops.");
    case "resync":
      return say(`Some events are not shown: ${showText(told.reason, 200)}.`);
    case "lost":
      return say(`${showText(told.reason, 300)} Asking again in ${roughly(told.retryMs)}.`);
    case "event":
      return io.stdout.write(`${lineOf(told.event, look)}\n`);
  }
}

const COLORS = { created: "cyan", changed: "dim", ended: "green", removed: "dim" } as const;

function lineOf(event: TaskEvent, { paint }: Call["look"]): string {
  const { kind, status, flow_name, task_id, waiting_for, parked, at } = event;
  const color = status === "FAILED" && kind === "ended" ? "red" : COLORS[kind];
  const rest = parked ? "parked" : waiting_for.length > 0 ? `waits for ${waiting_for.join(", ")}` : "";
  return [
    paint("dim", new Date(at).toTimeString().slice(0, 8)),
    paint(color, showText(kind, 7).padEnd(7)),
    showText(task_id, 36),
    showText(status, 19).padEnd(19),
    showText(flow_name, 100),
    rest,
  ]
    .join("  ")
    .trimEnd();
}

/** A line for a program: the event, `ready` or `resync`. */
async function showJsonLine({ io }: Call, told: Told): Promise<boolean> {
  if (told.kind === "quiet") return true;
  const value = told.kind === "event" ? told.event : told;
  return io.stdout.write(`${toJson(value, { style: "lines" })}\n`);
}

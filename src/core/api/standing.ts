// The state of a task and its steps in a few words: `COMPLETED`, `RUNNING 3 s`, `WAITING for signal approved`, `QUEUED`,
// `PARKED`, `IN DOUBT`. The terminal and the dashboard use the same words, and have their own colors for each tone.

import type { StepStatus, TaskStatus } from "../record/status.ts";
import { isStepOpen, isTerminal } from "../record/status.ts";
import { describeAhead, roughly } from "../times.ts";
import { isQueued, stepsInDoubt } from "./describe-waits.ts";
import type { StepSummary, Task, TaskSummary, Waiting } from "./task.ts";

/** `person`: it needs a person. `quiet`: nothing happens to it. */
export type Tone = "good" | "bad" | "busy" | "wait" | "person" | "cancelled" | "quiet";

export interface Standing {
  readonly text: string;
  readonly tone: Tone;
}

/** What a name is shown as: whoever writes to a terminal leaves out what it would obey. */
export type ShowName = (name: string) => string;

const TONES: Readonly<Record<TaskStatus | StepStatus, Tone>> = {
  PLANNED: "quiet",
  RUNNING: "busy",
  WAITING_OBSERVATION: "busy",
  COMPLETED: "good",
  FAILED: "bad",
  CANCELLED: "cancelled",
};

const IN_DOUBT: Standing = { text: "IN DOUBT", tone: "person" };
const PARKED: Standing = { text: "PARKED", tone: "person" };

/** For a task of which only the row is known, not what it waits for. */
export function standingOfBrief({ status, parked_reason }: Pick<Task, "status" | "parked_reason">): Standing {
  if (parked_reason !== null) return PARKED;
  return status === "WAITING_OBSERVATION" ? { text: "WAITING", tone: "wait" } : standingOfStatus(status);
}

/** States that need a person come first. `now` is the wall clock. */
export function standingOf(task: TaskSummary, now: number, show: ShowName = asItIs): Standing {
  const { status, due_at, lease_owner, parked_reason, waiting_for } = task;
  if (isTerminal(status)) return standingOfStatus(status);
  if (stepsInDoubt(task).length > 0) return IN_DOUBT;
  if (parked_reason !== null) return PARKED;
  const wait = firstToTell(waiting_for);
  if (wait !== undefined) {
    const more = waiting_for.length > 1 ? ` (+${waiting_for.length - 1})` : "";
    const text = `WAITING ${describeWaitShortly(wait, now, { show })}${more}`;
    return { text, tone: wait.kind === "signal" ? "person" : "wait" };
  }
  if (isQueued(task)) {
    const ahead = describeAhead(due_at ?? "", now);
    return { text: ahead.startsWith("in") ? `QUEUED, ${ahead}` : "QUEUED", tone: "wait" };
  }
  if (lease_owner !== null) return running(sinceOf(task), now);
  // between two transitions, and nobody makes the next one
  return status === "WAITING_OBSERVATION" ? { text: "WAITING to go on", tone: "wait" } : standingOfStatus(status);
}

/** Of each step of a task, in their order. All steps have to be there. */
export function standingsOf(task: TaskSummary, now: number, show: ShowName = asItIs): readonly Standing[] {
  const waits = waitsByStep(task);
  return task.steps.map((step) => {
    const wait = isTerminal(task.status) ? undefined : waits.get(step);
    return wait && !isInDoubt(step)
      ? { text: `WAITING ${describeWaitShortly(wait, now, { stepName: step.step_name, show })}`, tone: "wait" }
      : standingOfStep(step, now, task.status);
  });
}

/** Of one step, whatever it waits for. */
export function standingOfStep(step: StepSummary, now: number, ofTask: TaskStatus): Standing {
  if (isInDoubt(step) && !isTerminal(ofTask)) return IN_DOUBT;
  const call = step.tool_calls.at(-1);
  return step.status === "RUNNING" && call?.finished_at === null
    ? running(call.started_at, now)
    : standingOfStatus(step.status);
}

export function standingOfStatus(status: TaskStatus | StepStatus): Standing {
  // a server's word, which may be of a later version
  return { text: status, tone: TONES[status] ?? "quiet" };
}

/**
 * What each step waits for, while its task does nothing else. Both are in the order of the steps, and open steps that do
 * not wait stand behind those that do: a plan goes on when its first one has ended.
 */
export function waitsByStep<Step extends StepSummary>({
  steps,
  waiting_for,
}: {
  readonly steps: readonly Step[];
  readonly waiting_for: readonly Waiting[];
}): ReadonlyMap<Step, Waiting> {
  const waits = new Map<Step, Waiting>();
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
export function describeWaitShortly(
  { kind, name, until }: Waiting,
  now: number,
  { stepName, show = asItIs }: { readonly stepName?: string; readonly show?: ShowName } = {},
): string {
  const ahead = until === null ? "" : describeAhead(until, now);
  const later = ahead === "now" ? "" : ahead;
  const shown = name === null || name === stepName ? "" : show(name);
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
        return ["for", show(String(kind))];
    }
  })();
  return words.filter((word) => word !== "").join(" ");
}

function isInDoubt({ doubt, status }: StepSummary): boolean {
  return doubt !== null && isStepOpen(status);
}

function running(since: string, now: number): Standing {
  const ms = now - Date.parse(since);
  return { text: ms >= 1000 ? `RUNNING ${roughly(ms)}` : "RUNNING", tone: "busy" };
}

/** Since when the tool runs that is called now; of several the first. Where none is, since its last transition. */
function sinceOf({ steps, updated_at }: TaskSummary): string {
  for (const { status, tool_calls } of steps) {
    const call = tool_calls.at(-1);
    if (status === "RUNNING" && call?.finished_at === null) return call.started_at;
  }
  return updated_at;
}

function asItIs(name: string): string {
  return name;
}

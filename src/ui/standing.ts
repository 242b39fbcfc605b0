// How a task and its steps stand, in a few words and a tone.

import type { StepSummary, TaskSummary, Waiting } from "../core/api/task.ts";
import { age } from "./format.ts";

type Tone = "good" | "bad" | "busy" | "wait" | "person" | "quiet";

export interface Standing {
  readonly text: string;
  readonly tone: Tone;
}

const TONES: Readonly<Record<string, Tone>> = {
  COMPLETED: "good",
  FAILED: "bad",
  RUNNING: "busy",
  CANCELLED: "quiet",
  PLANNED: "quiet",
  WAITING_OBSERVATION: "busy",
};

export function isEnded(status: string): boolean {
  return status === "COMPLETED" || status === "FAILED" || status === "CANCELLED";
}

export function isInDoubt({ doubt, status }: StepSummary): boolean {
  return doubt !== null && status === "RUNNING";
}

/** What a person has to see to comes first. */
export function standingOfTask(task: TaskSummary, now: number): Standing {
  if (isEnded(task.status)) return standingOfStatus(task.status);
  if (task.steps.some(isInDoubt)) return { text: "IN DOUBT", tone: "person" };
  if (task.parked_reason !== null) return { text: "PARKED", tone: "person" };
  const wait = task.waiting_for.find(({ kind }) => kind !== "time") ?? task.waiting_for[0];
  if (wait) return { text: `WAITING ${describeWait(wait, now)}`, tone: wait.kind === "signal" ? "person" : "wait" };
  if (task.lease_owner !== null) return { text: "RUNNING", tone: "busy" };
  if (task.due_at !== null) {
    const later = Date.parse(task.due_at) > now + 1000;
    return { text: later ? `QUEUED, ${age(task.due_at, now)}` : "QUEUED", tone: "wait" };
  }
  return standingOfStatus(task.status);
}

export function standingOfStep(step: StepSummary): Standing {
  return isInDoubt(step) ? { text: "IN DOUBT", tone: "person" } : standingOfStatus(step.status);
}

export function describeWait({ kind, name, until, reason }: Waiting, now: number): string {
  const ahead = until === null ? "" : ` ${age(until, now)}`;
  switch (kind) {
    case "time":
      return `for time${ahead}`;
    case "signal":
      return `for signal ${name ?? ""}`;
    case "retry":
      return `to retry ${name ?? ""}${ahead}`;
    case "doubt":
      return `for a person to settle ${name ?? ""}`;
    case "limit":
      return `for its turn under the limit ${name ?? ""}`;
    case "pause":
      return `for the end of a pause${reason ? `: ${reason}` : ""}`;
    default:
      return `for ${kind} ${name ?? ""}`;
  }
}

function standingOfStatus(status: string): Standing {
  return { text: status, tone: TONES[status] ?? "quiet" };
}

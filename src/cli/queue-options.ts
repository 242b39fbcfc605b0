// When a queued task may start, and with which priority.

import { toMilliseconds } from "../core/flow/duration.ts";
import { type Duration, toMs } from "../core/record/duration.ts";
import { readInstant } from "../core/record/instant.ts";
import { EXPIRES_MS_MIN, PRIORITY_MAX } from "../core/limits.ts";
import { queueingOf, startAt, type Queueing } from "../core/api/queueing.ts";
import type { Mode } from "./ask-task.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { readCount, usageError } from "./usage.ts";

export const EXPIRES_OPTION: Option = {
  name: "expires-in",
  value: "time",
  summary:
    "With --mode create or enqueue: cancelled unless it has begun by then: 30s, 10m, 2h (default: as its flow says)",
};

export const QUEUE_OPTIONS: readonly Option[] = [
  {
    name: "at",
    value: "time",
    summary: "With --mode enqueue: not before then; 2026-11-24T08:00:00Z, or from now on: 10m, 2h, 1.5d (default: now)",
  },
  {
    name: "priority",
    value: "0…9",
    summary: `With --mode enqueue: 0 is taken first, ${PRIORITY_MAX} last (default: 5)`,
  },
];

/** The options for creating a queued task. None if the task is not queued. Throws usage. */
export function readQueueOptions({ flags }: Pick<Call, "flags">, mode: Mode | undefined): Queueing {
  const given = QUEUE_OPTIONS.find(({ name }) => flags.has(name));
  if (given && mode !== "enqueue") {
    throw usageError([{ path: `--${given.name}`, message: "means something with --mode enqueue only" }]);
  }
  const priority = readCount(flags, "priority", { min: 0, max: PRIORITY_MAX });
  const at = flags.get("at");
  const expiresIn = readExpiresIn(flags.get(EXPIRES_OPTION.name), mode);
  return queueingOf(at === undefined ? undefined : readAt(at, Date.now()), priority, expiresIn);
}

/** In milliseconds. */
function readExpiresIn(text: string | undefined, mode: Mode | undefined): number | undefined {
  if (text === undefined) return undefined;
  const path = `--${EXPIRES_OPTION.name}`;
  if (mode !== "enqueue" && mode !== "create") {
    throw usageError([{ path, message: "means something with --mode create or enqueue only" }]);
  }
  const ms = toMs(text);
  if (ms !== undefined && ms >= EXPIRES_MS_MIN) return ms;
  const message = `expected a duration of a second or more, such as 30s, 10m or 2h, got ${JSON.stringify(text)}`;
  throw usageError([{ path, message }]);
}

/** `now`, a time with its zone, or a duration from now on (`10m`, `in 10m`); one that has passed is now. */
function readAt(text: string, now: number): "now" | number {
  return startAt(text === "now" ? now : (readDelay(text, now) ?? readTime(text)), now);
}

/** Undefined: it does not look like a duration. */
function readDelay(text: string, now: number): number | undefined {
  const [, duration] = /^(?:in\s+)?(\d[\d.]*\s*[a-z]+)$/i.exec(text.trim()) ?? [];
  if (duration === undefined) return undefined;
  try {
    return now + toMilliseconds(duration.replaceAll(/\s/g, "") as Duration);
  } catch {
    const units = "a number and one of ms, s, m, h, d, w";
    throw usageError([
      { path: "--at", message: `expected a duration of at most 100 years (${units}), got ${JSON.stringify(text)}` },
    ]);
  }
}

function readTime(text: string): number {
  const instant = readInstant(text);
  if (instant.ok) return instant.ms;
  throw usageError([{ path: "--at", message: `${instant.message}; or a duration from now on, such as 10m` }]);
}

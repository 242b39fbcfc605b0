// What the request that creates a task says besides its input: its place in the queue, its tags, and how long to wait
// for its end: `?start=now|<time>&priority=0…9&expires_in=10m&tag=customer=c1&wait=10s`.

import type { Violation } from "../core/errors.ts";
import { readInstant } from "../core/record/instant.ts";
import { toMs } from "../core/record/duration.ts";
import { EXPIRES_MS_MIN, PRIORITY_MAX } from "../core/limits.ts";
import { readTagTexts, type Tags } from "../core/record/tags.ts";
import { queueingOf, startAt, type Queueing } from "../core/api/queueing.ts";
import { inputInvalid } from "./check.ts";
import { type Query, violationsOf } from "./query.ts";
import { readWait, WAIT_PARAMETER } from "./waiting.ts";

export const CREATION_PARAMETERS: readonly string[] = ["start", "priority", "expires_in", "tag", WAIT_PARAMETER];

export interface CreationQuery {
  readonly queueing: Queueing;
  /** From `?tag=customer=c1&tag=region=eu`. Undefined: no tags were given. */
  readonly tags: Tags | undefined;
  /** How long to wait for the end of the task. Undefined: not at all. */
  readonly waitMs: number | undefined;
}

/** A time before `now` means now. Throws input_invalid with every violation. */
export function readCreationQuery(query: Query, now: number): CreationQuery {
  const errors = violationsOf(query, CREATION_PARAMETERS, ["tag"]);
  const queueing = readQueueing(query, now, errors);
  const waitMs = readWait(query, errors);
  const { tags, errors: wrongTags } = readTagTexts(query.get("tag") ?? [], "tag");
  errors.push(...wrongTags);
  if (errors.length > 0) throw inputInvalid(errors);
  return { queueing, tags, waitMs };
}

/** Violations are added to `errors`. */
export function readQueueing(query: Query, now: number, errors: Violation[]): Queueing {
  const [startText] = query.get("start") ?? [];
  const [priorityText] = query.get("priority") ?? [];
  const start = startText === undefined ? undefined : readStart(startText, now, errors);
  const priority = priorityText === undefined ? undefined : readPriority(priorityText, errors);
  const expiresIn = readExpiresIn(query, errors);
  return queueingOf(start, priority, expiresIn);
}

function readStart(text: string, now: number, errors: Violation[]): "now" | number | undefined {
  if (text === "now") return "now";
  // `+01:00` arrives with a space if it was not encoded
  const instant = readInstant(text.replace(/ (?=\d\d:?\d\d$)/, "+"));
  if (instant.ok) return startAt(instant.ms, now);
  errors.push({ path: "start", message: `${instant.message}; or "now"` });
  return undefined;
}

/** In milliseconds. Undefined: the flow decides. */
function readExpiresIn(query: Query, errors: Violation[]): number | undefined {
  const [text] = query.get("expires_in") ?? [];
  if (text === undefined) return undefined;
  const ms = toMs(text);
  if (ms !== undefined && ms >= EXPIRES_MS_MIN) return ms;
  const message = `expected a duration of a second or more, such as 30s, 10m or 2h, received ${JSON.stringify(text)}`;
  errors.push({ path: "expires_in", message });
  return undefined;
}

function readPriority(text: string, errors: Violation[]): number | undefined {
  if (/^\d$/.test(text)) return Number(text);
  const message = `expected a whole number from 0 to ${PRIORITY_MAX}, received ${JSON.stringify(text)}`;
  errors.push({ path: "priority", message });
  return undefined;
}

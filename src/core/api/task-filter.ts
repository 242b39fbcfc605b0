// The filters of tasks: one vocabulary for flags of the command line, query parameters, and operations on many tasks. All of
// them are read and written by this table.

import { suggest } from "../nearest.ts";
import { PRIORITY_MAX } from "../limits.ts";
import { toMs } from "../record/duration.ts";
import { readInstant } from "../record/instant.ts";
import { readTag, TAGS_MAX } from "../record/tags.ts";
import { readWholeId } from "../record/task-names.ts";
import { NEXT, type TaskStatus } from "../record/status.ts";
import { WAIT_KINDS, type WaitKind } from "../record/waits.ts";

/** What a task waits for; `name`: of the signal. */
export type WaitFilter = WaitKind | `signal:${string}`;

/** A task has to match each field that is there; of a list any one, but of the tags all. */
export interface TaskFilter {
  readonly flow?: readonly string[];
  readonly status?: readonly TaskStatus[];
  readonly parked?: true;
  /** It has a step in doubt. */
  readonly inDoubt?: true;
  /** It is parked, in doubt, or waits for a signal. */
  readonly needsPerson?: true;
  readonly waitingFor?: readonly WaitFilter[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Created at this time or later: a time (RFC 3339) or a duration, which is so long ago. */
  readonly since?: string;
  /** Created before this time. */
  readonly until?: string;
  readonly updatedSince?: string;
  readonly updatedUntil?: string;
  readonly finishedSince?: string;
  readonly finishedUntil?: string;
  /** Within the message of its error; the letters A to Z in either case. */
  readonly error?: string;
  /** The task that it is a child of. */
  readonly parent?: string;
  /** The schedule that made it. */
  readonly schedule?: string;
  readonly priority?: number;
}

/** A filter as text. A switch has the value `true`. */
export type FilterPair = [name: string, value: string];

type Draft = { -readonly [Field in keyof TaskFilter]: TaskFilter[Field] };

export interface FilterDefinition {
  /** Of the flag, without dashes, and of the parameter. */
  readonly name: string;
  /** What stands for its value in the help; without it, it is a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly summary: string;
  /** Puts a value into the filter; else gives what is wrong with it. */
  take(filter: Draft, text: string): string | undefined;
  /** The values of this filter, as `take` takes them. */
  tell(filter: TaskFilter): readonly string[];
}

const STATUSES = Object.keys(NEXT) as readonly TaskStatus[];

/** Characters of the text within an error. */
const ERROR_TEXT_MAX = 1000;

export const FILTERS: readonly FilterDefinition[] = [
  {
    name: "flow",
    value: "name",
    repeatable: true,
    summary: "Of this flow; may be repeated",
    take(filter, text) {
      if (!/^[A-Za-z][\w.-]{0,99}$/.test(text)) return `expected the name of a flow, got ${JSON.stringify(text)}`;
      filter.flow = including(filter.flow, text);
      return undefined;
    },
    tell: ({ flow = [] }) => flow.toSorted(),
  },
  {
    name: "status",
    value: "status",
    repeatable: true,
    summary: `In this state; may be repeated: ${STATUSES.join(", ")}`,
    take(filter, text) {
      const word = text.toUpperCase();
      const status = STATUSES.find((each) => each === word);
      if (status === undefined) return notOneOf(STATUSES, text);
      filter.status = including(filter.status, status);
      return undefined;
    },
    tell: ({ status = [] }) => STATUSES.filter((each) => status.includes(each)),
  },
  switchOf("parked", "parked", "Parked: something keeps every worker from going on with it"),
  switchOf("in-doubt", "inDoubt", "With a step of which nobody knows whether its effect happened"),
  switchOf("needs-person", "needsPerson", "Waiting for a person: parked, in doubt, or waiting for a signal"),
  {
    name: "waiting-for",
    value: "what",
    repeatable: true,
    summary: `Waiting for this; may be repeated: ${WAIT_KINDS.join(", ")}, or signal:<name>`,
    take(filter, text) {
      const isSignal = /^signal:[A-Za-z][\w.-]{0,99}$/.test(text);
      if (!isSignal && !WAIT_KINDS.some((kind) => kind === text))
        return notOneOf([...WAIT_KINDS, "signal:<name>"], text);
      filter.waitingFor = including(filter.waitingFor, text as WaitFilter);
      return undefined;
    },
    tell: ({ waitingFor = [] }) => waitingFor.toSorted(),
  },
  {
    name: "tag",
    value: "key=value",
    repeatable: true,
    summary: "With this tag; may be repeated: all of them",
    take(filter, text) {
      const tag = readTag(text);
      if ("problem" in tag) return tag.problem;
      const others = filter.tags ?? {};
      if (Object.hasOwn(others, tag.key) && others[tag.key] !== tag.value)
        return `${tag.key} has another value already: a task has one value for each key`;
      filter.tags = { ...others, [tag.key]: tag.value };
      if (Object.keys(filter.tags).length > TAGS_MAX) return `no task has more than ${TAGS_MAX} tags`;
      return undefined;
    },
    tell: ({ tags = {} }) =>
      Object.entries(tags)
        .map(([key, value]) => `${key}=${value}`)
        .toSorted(),
  },
  timeOf("since", "since", "Created since then: 2h (two hours ago), 7d, or 2026-11-24T08:00:00Z"),
  timeOf("until", "until", "Created before then"),
  timeOf("updated-since", "updatedSince", "Changed since then"),
  timeOf("updated-until", "updatedUntil", "Not changed since then"),
  timeOf("finished-since", "finishedSince", "Ended since then"),
  timeOf("finished-until", "finishedUntil", "Ended before then"),
  {
    name: "error",
    value: "text",
    summary: "With this text in the message of its error; A to Z in either case",
    take(filter, text) {
      if (text === "" || text.length > ERROR_TEXT_MAX) return `expected a text of 1 to ${ERROR_TEXT_MAX} characters`;
      if (text.includes("\0") || !text.isWellFormed()) return "must not hold NUL or half of a surrogate pair";
      filter.error = text;
      return undefined;
    },
    tell: ({ error }) => one(error),
  },
  {
    name: "parent",
    value: "id",
    summary: "A child of this task",
    take(filter, text) {
      const id = readWholeId(text);
      if (id === undefined) return `expected the whole id of a task, got ${JSON.stringify(text)}`;
      filter.parent = id;
      return undefined;
    },
    tell: ({ parent }) => one(parent),
  },
  {
    name: "schedule",
    value: "name",
    summary: "Made by this schedule",
    take(filter, text) {
      if (!/^[A-Za-z][\w.-]{0,99}$/.test(text)) return `expected the name of a schedule, got ${JSON.stringify(text)}`;
      filter.schedule = text;
      return undefined;
    },
    tell: ({ schedule }) => one(schedule),
  },
  {
    name: "priority",
    value: "0…9",
    summary: "Of this priority",
    take(filter, text) {
      if (!/^\d$/.test(text)) return `expected a whole number from 0 to ${PRIORITY_MAX}, got ${JSON.stringify(text)}`;
      filter.priority = Number(text);
      return undefined;
    },
    tell: ({ priority }) => (priority === undefined ? [] : [String(priority)]),
  },
];

/** What a bound means: it was so long ago by `now`, or that time. Of a text that `FILTERS` has taken. */
export function timeOfBound(text: string, now: number): number {
  const duration = toMs(text);
  if (duration !== undefined) return now - duration;
  const instant = readInstant(text);
  if (!instant.ok) throw new Error(`${JSON.stringify(text)} is not a time.`);
  return instant.ms;
}

function switchOf(name: string, field: "parked" | "inDoubt" | "needsPerson", summary: string): FilterDefinition {
  return {
    name,
    summary,
    take(filter, text) {
      if (text !== "" && text !== "true") return `expected true, or nothing, got ${JSON.stringify(text)}`;
      filter[field] = true;
      return undefined;
    },
    tell: (filter) => (filter[field] ? ["true"] : []),
  };
}

type TimeField = "since" | "until" | "updatedSince" | "updatedUntil" | "finishedSince" | "finishedUntil";

function timeOf(name: string, field: TimeField, summary: string): FilterDefinition {
  return {
    name,
    value: "time",
    summary,
    take(filter, given) {
      const duration = given.trim().replace(/\s+ago$/, "");
      if (toMs(duration) !== undefined) {
        filter[field] = duration;
        return undefined;
      }
      // `+01:00` that was not encoded in a URL is a space by now
      const instant = readInstant(given.trim().replace(/ (?=\d\d:?\d\d$)/, "+"));
      if (!instant.ok) return `${instant.message}; or how long ago: 30m, 2h, 7d`;
      filter[field] = new Date(instant.ms).toISOString();
      return undefined;
    },
    tell: (filter) => one(filter[field]),
  };
}

function one(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

function including<Value>(values: readonly Value[] | undefined, value: Value): readonly Value[] {
  return values?.includes(value) ? values : [...(values ?? []), value];
}

function notOneOf(words: readonly string[], text: string): string {
  return `expected ${words.join(", ")}, got ${JSON.stringify(text)}${suggest(text, words)}`;
}

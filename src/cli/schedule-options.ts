// The options of the actions on schedules, and what `add` makes of them.

import type { NewSchedule } from "../core/api/schedules.ts";
import { PRIORITY_MAX } from "../core/limits.ts";
import { OVERLAPS } from "../core/record/schedule.ts";
import { suggest } from "../core/nearest.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { PAYLOAD_FORM, readGiven } from "./read-payload.ts";
import { REASON } from "./reason.ts";
import { readCount, readWord, usageError } from "./usage.ts";

const ACTIONS = ["list", "show", "add", "pause", "resume", "trigger", "remove", "preview", "backfill"] as const;
export type ScheduleAction = (typeof ACTIONS)[number];

const ADD_OPTIONS: readonly Option[] = [
  { name: "flow", value: "name", summary: "With add: the flow of its tasks" },
  { name: "cron", value: "expression", summary: 'With add: "30 2 * * *", or @hourly, @daily, @weekly, @monthly' },
  { name: "every", value: "duration", summary: "With add, in place of --cron: 30s, 15m, 2h" },
  { name: "time-zone", value: "zone", summary: "With add: by whose clock, such as Europe/Berlin (default: UTC)" },
  { name: "input", value: PAYLOAD_FORM, summary: "With add: the input of its tasks (default: {})" },
  {
    name: "overlap",
    value: "rule",
    summary: "With add: skip, queue, all or cancel-running, while a task of it has not ended (default: skip)",
  },
  {
    name: "catch-up",
    value: "rule",
    summary: "With add: none, last, or a duration within which all is made up for (default: last)",
  },
  { name: "jitter", value: "duration", summary: "With add: each firing comes later by its own share of it" },
  { name: "priority", value: "0…9", summary: `With add: 0 is taken first, ${PRIORITY_MAX} last (default: 5)` },
];

/** Which actions an option means something to. */
const OPTION_ACTIONS: Readonly<Record<string, readonly ScheduleAction[]>> = {
  ...Object.fromEntries(ADD_OPTIONS.map(({ name }) => [name, ["add"]])),
  reason: ["pause"],
  count: ["preview"],
  from: ["preview", "backfill"],
  until: ["backfill"],
  "dry-run": ["backfill"],
  yes: ["backfill"],
};

export const SCHEDULE_OPTIONS: readonly Option[] = [
  ...ADD_OPTIONS,
  { ...REASON, summary: "Why, for the audit log; of a pause it is shown" },
  { name: "count", value: "N", summary: "With preview: so many times (default: 10)" },
  { name: "from", value: "time", summary: "With preview and backfill: from then on, such as 2026-11-24T08:00:00Z" },
  { name: "until", value: "time", summary: "With backfill: until then (default: now)" },
  { name: "dry-run", summary: "With backfill: only show" },
  { name: "yes", summary: "With backfill: do not ask" },
];

/** Throws usage if there is no such action, if an option belongs to another one, or if a name is missing or too many. */
export function readAction({ args, flags }: Pick<Call, "args" | "flags">): {
  readonly action: ScheduleAction;
  readonly name: string;
} {
  const [word = "list", name] = args;
  const action = ACTIONS.find((each) => each === word);
  if (action === undefined) {
    // somebody who types only a name wants to see it
    const hint = suggest(word, ACTIONS, SYNONYMS) || `; for one of that name: schedule show ${word}`;
    throw usageError([{ path: "", message: `expected ${ACTIONS.join(", ")}, got ${JSON.stringify(word)}${hint}` }]);
  }
  const problems = Object.entries(OPTION_ACTIONS)
    .filter(([option, actions]) => flags.has(option) && !actions.includes(action))
    .map(([option, actions]) => ({
      path: `--${option}`,
      message: `means something with ${actions.join(" and ")} only`,
    }));
  if (action !== "list" && name === undefined) problems.push({ path: "", message: "<name> is missing" });
  if (action === "list" && name !== undefined)
    problems.push({ path: "", message: `unexpected argument ${JSON.stringify(name)}` });
  if (problems.length > 0) throw usageError(problems);
  return { action, name: name ?? "" };
}

const SYNONYMS = {
  create: ["add"],
  new: ["add"],
  ls: ["list"],
  get: ["show"],
  describe: ["show"],
  delete: ["remove"],
  rm: ["remove"],
  stop: ["pause"],
  unpause: ["resume"],
  start: ["resume"],
  run: ["trigger"],
  fire: ["trigger"],
  next: ["preview"],
};

/** Throws usage. */
export async function readNewSchedule({ flags, io }: Pick<Call, "flags" | "io">, name: string): Promise<NewSchedule> {
  const flow = flags.get("flow");
  if (flow === undefined) throw usageError([{ path: "--flow", message: "is missing: name the flow of its tasks" }]);
  const found = await readGiven({ flags, io }, "input");
  const catchUp = flags.get("catch-up");
  const priority = readCount(flags, "priority", { min: 0, max: PRIORITY_MAX });
  const overlap = readWord(flags, "overlap", OVERLAPS);
  const said = (option: string, key = option): Record<string, string> => {
    const text = flags.get(option);
    return text === undefined ? {} : { [key]: text };
  };
  return {
    name,
    flow,
    ...said("cron"),
    ...said("every"),
    ...said("time-zone", "timeZone"),
    ...said("jitter"),
    ...(overlap !== undefined && { overlap }),
    ...(found && { input: found.value }),
    ...(catchUp !== undefined && { catchUp: /^\d/.test(catchUp) ? { within: catchUp } : catchUp }),
    ...(priority !== undefined && { priority }),
  };
}

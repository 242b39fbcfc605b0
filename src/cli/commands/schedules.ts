import type { Schedule } from "../../core/api/schedules.ts";
import { FIRINGS_MAX } from "../../core/api/schedules.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { hasCode, TaskonautError, describeViolations } from "../../core/errors.ts";
import type { Call, Command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, printTask, tell, toJson } from "../print.ts";
import { readAction, readNewSchedule, SCHEDULE_OPTIONS, type ScheduleAction } from "../schedule-options.ts";
import { showSchedule, showSchedules, showTimes } from "../show-schedules.ts";
import { throwIfDamaged } from "../throw-if-damaged.ts";
import { readCount, usageError } from "../usage.ts";

const COMMON = {
  options: SCHEDULE_OPTIONS,
  takesFields: false,
  needs: "tasks",
  makesDatabase: "add",
  logLevel: "warn",
} as const;

export const schedules: Command = {
  ...COMMON,
  name: "schedules",
  summary: "List the schedules with their last and next firings",
  about:
    "A schedule makes tasks by itself: those of flows' files, and those made by `schedule add`. The actions of `schedule` work here as well: schedules preview nightly.",
  args: [
    { name: "action", required: false },
    { name: "name", required: false },
  ],
  examples: ["schedules", "schedules --json | jq '.[] | select(.skipped_count > 0)'"],
  run,
};

export const schedule: Command = {
  ...COMMON,
  name: "schedule",
  summary: "Show, add, pause, resume, trigger, remove, preview or backfill one",
  about:
    "show: with what it has skipped, and why. preview: its next times, in its zone and in yours. trigger: a task now. backfill: the tasks of times that have passed; it lists them first, and asks. What a flow's file says is changed there; it can be paused here.",
  args: [
    { name: "action", required: true },
    { name: "name", required: false },
  ],
  examples: [
    'schedule add hourly --flow echo_add --cron "0 * * * *" --time-zone Europe/Berlin --input \'{"text":"hello","a":1,"b":2}\'',
    "schedule preview hourly --count 5",
    'schedule pause hourly --reason "the bank is down"',
    "schedule resume hourly",
    "schedule remove hourly",
  ],
  run,
};

const PAGE = 1000;

async function run(call: Call): Promise<number> {
  const { action, name } = readAction(call);
  return withTaskonaut(call, async (taskonaut) => {
    try {
      await ACT[action](call, taskonaut, name);
    } catch (error) {
      throw TAKES_OPTIONS.includes(action) ? inWordsOfOptions(error) : error;
    }
    return 0;
  });
}

/** What is wrong is an option, where it is no name. */
const TAKES_OPTIONS: readonly ScheduleAction[] = ["add", "preview", "backfill"];

type Act = (call: Call, taskonaut: Taskonaut, name: string) => Promise<void>;

const ACT: Readonly<Record<ScheduleAction, Act>> = {
  list,
  show,
  preview,
  backfill,
  async add(call, taskonaut, name) {
    await print(call, await taskonaut.schedules.add(await readNewSchedule(call, name)));
  },
  async pause(call, taskonaut, name) {
    const reason = call.flags.get("reason");
    await print(call, await taskonaut.schedules.pause(name, reason === undefined ? {} : { reason }));
  },
  async resume(call, taskonaut, name) {
    await print(call, await taskonaut.schedules.resume(name));
  },
  async remove(call, taskonaut, name) {
    await print(call, await taskonaut.schedules.remove(name), `Schedule ${name} is removed. Its tasks stay.\n`);
  },
  async trigger(call, taskonaut, name) {
    await printTask(call, taskonaut, await taskonaut.schedules.trigger(name, {}));
  },
};

async function list(call: Call, taskonaut: Taskonaut): Promise<void> {
  const { io, look, hints } = call;
  const all: Schedule[] = [];
  for (let after: string | undefined; ;) {
    const page = await taskonaut.schedules.list({ limit: PAGE, ...(after !== undefined && { after }) });
    all.push(...page.schedules);
    after = page.next;
    if (after === undefined) break;
  }
  if (look.style !== "readable") await io.stdout.write(listToJson(all, look));
  else if (all.length > 0) await io.stdout.write(showSchedules(all, look));
  else
    await tell(
      call,
      ["No schedules. Those in flow files appear when a worker that has the files starts."],
      hints.give("work"),
    );
  throwIfDamaged("schedules", all);
}

async function show(call: Call, taskonaut: Taskonaut, name: string): Promise<void> {
  const { io, look } = call;
  const found = await taskonaut.schedules.get(name);
  await io.stdout.write(look.style === "readable" ? showSchedule(found, look) : `${toJson(found, look)}\n`);
}

async function preview(call: Call, taskonaut: Taskonaut, name: string): Promise<void> {
  const { io, look, flags } = call;
  const count = readCount(flags, "count", { min: 1, max: FIRINGS_MAX }) ?? 10;
  const from = flags.get("from");
  const times = await taskonaut.schedules.preview(name, { count, ...(from !== undefined && { from }) });
  if (look.style !== "readable") await io.stdout.write(listToJson(times, look));
  else if (times.length === 0) await tell(call, [`Schedule ${name} never fires again.`]);
  else await io.stdout.write(showTimes(times, look));
}

async function backfill(call: Call, taskonaut: Taskonaut, name: string): Promise<void> {
  const { io, look, flags } = call;
  const from = flags.get("from");
  if (from === undefined) throw usageError([{ path: "--from", message: "is missing: say from which time on" }]);
  const range = { from, until: flags.get("until") };
  const planned = await taskonaut.schedules.backfill(name, { ...range, dryRun: true });
  const missing = planned.filter(({ exists }) => !exists).length;
  if (look.style === "readable") {
    if (planned.length === 0) return tell(call, [`Schedule ${name} has no time in between.`]);
    await io.stdout.write(showTimes(planned, look));
  }
  if (flags.has("dry-run") || missing === 0) {
    if (look.style === "readable") await tell(call, [`${missing} of ${planned.length} tasks are missing.`]);
    else await io.stdout.write(listToJson(planned, look));
    return;
  }
  await confirm(call, `Create ${missing} ${missing === 1 ? "task" : "tasks"}?`, "Cancelled. No task was created.");
  // those that were listed: by now there may be more
  const listed = { from: planned[0]?.at ?? from, until: planned.at(-1)?.at };
  const made = await taskonaut.schedules.backfill(name, { ...listed, dryRun: false });
  if (look.style === "readable") {
    const refused = made.filter((time) => time.refused !== undefined);
    const count = made.filter(({ exists }) => !exists).length - refused.length;
    await io.stdout.write(`${count} ${count === 1 ? "task is" : "tasks are"} created.\n`);
    if (refused.length > 0) await io.stdout.write(`\nNot created:\n${showTimes(refused, look)}`);
  } else await io.stdout.write(listToJson(made, look));
}

async function print(call: Call, made: Schedule, text?: string): Promise<void> {
  const { io, look } = call;
  if (look.style !== "readable") await io.stdout.write(`${toJson(made, look)}\n`);
  else await io.stdout.write(text ?? showSchedules([made], look));
}

/** The options have other names here than in a flow's file, or in a request. */
function inWordsOfOptions(error: unknown): unknown {
  if (!hasCode(error, "input_invalid") || error.errors.length === 0) return error;
  const errors = error.errors.map(({ path, message }) => ({
    path: `--${path.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-")}`,
    message,
  }));
  // the message lists them as well
  const message = error.message.replace(describeViolations(error.errors), () => describeViolations(errors));
  return new TaskonautError(error.code, message, { errors, details: error.details, cause: error });
}

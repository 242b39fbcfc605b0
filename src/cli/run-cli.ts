import type { Command } from "./command.ts";
import { readArgv } from "./argv.ts";
import { advanceTask } from "./commands/advance-task.ts";
import { backup } from "./commands/backup.ts";
import { bench } from "./commands/bench.ts";
import { cancelTask } from "./commands/cancel-task.ts";
import { flows } from "./commands/flows.ts";
import { getTask } from "./commands/get-task.ts";
import { getTasks } from "./commands/get-tasks.ts";
import { init } from "./commands/init.ts";
import { migrate } from "./commands/migrate.ts";
import { resolve } from "./commands/resolve.ts";
import { resumeTask } from "./commands/resume-task.ts";
import { retryTask } from "./commands/retry-task.ts";
import { runApp } from "./commands/run-app.ts";
import { runFlow } from "./commands/run-flow.ts";
import { runTask } from "./commands/run-task.ts";
import { signalTask } from "./commands/signal-task.ts";
import { validate } from "./commands/validate.ts";
import { work } from "./commands/work.ts";
import { workers } from "./commands/workers.ts";
import { writeHelp } from "./help.ts";
import { createInterrupts } from "./interrupts.ts";
import type { Env, Io } from "./io.ts";
import { chooseLook } from "./look.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { printError } from "./print-error.ts";
import { resolveSettings } from "./settings.ts";
import { usageError } from "./usage.ts";
import type { VersionInfo, Wire } from "./wiring.ts";

export interface CliOptions {
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Env;
  readonly io: Io;
  readonly wire: Wire;
  readonly version: VersionInfo;
}

export const COMMANDS: readonly Command[] = [
  runFlow,
  getTask,
  getTasks,
  advanceTask,
  runTask,
  signalTask,
  cancelTask,
  retryTask,
  resumeTask,
  resolve,
  runApp,
  work,
  workers,
  bench,
  migrate,
  backup,
  flows,
  validate,
  init,
];

/** What a call without a command exits with, as for every other misuse. */
const EXIT_USAGE = 2;

/** Runs one command and gives the exit code; never throws. Nothing is wired before the arguments are known to be good. */
export async function runCli({ argv, env, io, wire, version }: CliOptions): Promise<number> {
  const { command, args, flags, lists, fields, problems } = readArgv(argv, COMMANDS, GLOBAL_OPTIONS);
  const json = flags.has("json");
  let debug = false;
  try {
    if (flags.has("help") && (command || problems.length === 0)) {
      await io.stdout.write(writeHelp(COMMANDS, command));
      return 0;
    }
    if (flags.has("version") && problems.length === 0) {
      await io.stdout.write(describeVersion(version, json));
      return 0;
    }
    if (problems.length > 0) throw usageError(problems);
    if (!command) {
      await io.stderr.write(writeHelp(COMMANDS, undefined));
      return EXIT_USAGE;
    }
    const settings = resolveSettings(command, flags, env, lists);
    debug = settings.logLevel === "debug";
    const interrupts = createInterrupts(io);
    const look = chooseLook(io.stdout, json, env);
    const isRemote = settings.apiBaseUrl !== undefined;
    const done = command.run({ args, flags, fields, env, io, interrupts, look, wiring: wire(settings), isRemote });
    return await Promise.race([done, interrupts.second]);
  } catch (error) {
    return printError(io.stderr, error, { command: command?.name, json, debug, env });
  }
}

function describeVersion({ version, commit, bun }: VersionInfo, json: boolean): string {
  return json
    ? `${JSON.stringify({ version, commit, bun })}\n`
    : `taskonaut ${version} (commit ${commit}, Bun ${bun})\n`;
}

import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import type { TellWait } from "../core/waiting.ts";
import type { Command, CommandGroup, Program } from "./command.ts";
import { type Argv, readArgv } from "./argv.ts";
import { advanceTask } from "./commands/advance-task.ts";
import { backup } from "./commands/backup.ts";
import { bench } from "./commands/bench.ts";
import { cancelTask } from "./commands/cancel-task.ts";
import { cancelTasks } from "./commands/cancel-tasks.ts";
import { deleteTasks } from "./commands/delete-tasks.ts";
import { flows } from "./commands/flows.ts";
import { getTask } from "./commands/get-task.ts";
import { getTasks } from "./commands/get-tasks.ts";
import { help } from "./commands/help.ts";
import { limits } from "./commands/limits.ts";
import { init } from "./commands/init.ts";
import { migrate } from "./commands/migrate.ts";
import { auditLog } from "./commands/audit-log.ts";
import { openapi } from "./commands/openapi.ts";
import { pause } from "./commands/pause.ts";
import { pauses } from "./commands/pauses.ts";
import { purge } from "./commands/purge.ts";
import { resolve } from "./commands/resolve.ts";
import { resumeTasks } from "./commands/resume-tasks.ts";
import { resumeTask } from "./commands/resume-task.ts";
import { retryTasks } from "./commands/retry-tasks.ts";
import { forkTask } from "./commands/fork-task.ts";
import { retryTask } from "./commands/retry-task.ts";
import { runApp } from "./commands/run-app.ts";
import { runFlow } from "./commands/run-flow.ts";
import { runTask } from "./commands/run-task.ts";
import { schedule, schedules } from "./commands/schedules.ts";
import { signalTask } from "./commands/signal-task.ts";
import { signalTasks } from "./commands/signal-tasks.ts";
import { test } from "./commands/test.ts";
import { traces } from "./commands/traces.ts";
import { types } from "./commands/types.ts";
import { ui } from "./commands/ui.ts";
import { unpause } from "./commands/unpause.ts";
import { tokens } from "./commands/tokens.ts";
import { validate } from "./commands/validate.ts";
import { describeVersion, version } from "./commands/version.ts";
import { watch } from "./commands/watch.ts";
import { work } from "./commands/work.ts";
import { workers } from "./commands/workers.ts";
import { createPaint, wantsColor } from "../log/paint.ts";
import { asksForJson, readFormat, withJson } from "./format.ts";
import { Hints } from "./hint.ts";
import { createInterrupts } from "./interrupts.ts";
import type { Env, Io } from "./io.ts";
import { chooseLook } from "./look.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { printError } from "./print-error.ts";
import { changes } from "./reason.ts";
import { resolveSettings } from "./settings.ts";
import { tellerOfWaits } from "./tell-waits.ts";
import { usageError } from "./usage.ts";
import type { VersionInfo, Wire, Wiring } from "./wiring.ts";

export interface CliOptions {
  /** Without the runtime and the script. */
  readonly argv: readonly string[];
  readonly env: Env;
  readonly io: Io;
  readonly wire: Wire;
  /** How it was called, quoted for a shell: `dist/taskonaut`. */
  readonly calledAs: string;
  readonly version: VersionInfo;
}

/** All of them, as the help shows them. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { title: "Run tasks", commands: [runFlow, runTask, advanceTask] },
  { title: "Look at tasks", commands: [getTask, getTasks, traces, watch, workers] },
  { title: "Act on tasks", commands: [signalTask, cancelTask, retryTask, forkTask, resumeTask, resolve] },
  { title: "Hold back flows and tools", commands: [pause, unpause, pauses] },
  { title: "Limits", commands: [limits] },
  { title: "Serve and work", commands: [runApp, ui, work, tokens, auditLog] },
  { title: "Schedules", commands: [schedules, schedule] },
  { title: "Act on many tasks", commands: [cancelTasks, retryTasks, resumeTasks, signalTasks, deleteTasks, purge] },
  { title: "Flows", commands: [init, flows, validate, test, types, openapi] },
  { title: "Database", commands: [migrate, backup, bench] },
  { title: "About taskonaut", commands: [help, version] },
];

export const COMMANDS: readonly Command[] = COMMAND_GROUPS.flatMap(({ commands }) => commands);

/** What a call without a command exits with, as for every other misuse. */
const EXIT_USAGE = 2;

/** Runs one command and gives the exit code; never throws. Nothing is wired before the arguments are known to be good. */
export async function runCli(options: CliOptions): Promise<number> {
  const wire = wireOnce(options.wire);
  const { argv, env, io } = options;
  const reading = readArgv(argv, COMMANDS, GLOBAL_OPTIONS);
  if (!reading.isOpen) return runReading(reading, { ...options, wire });
  const { settleArgv } = await import("./settle-argv.ts");
  try {
    const settled = await settleArgv(argv, COMMANDS, GLOBAL_OPTIONS, async (command, { flags, lists, args }) => {
      const settings = resolveSettings(command, flags, env, lists, { logsAtTerminal: io.stderr.isTTY });
      const isRemote = settings.apiBaseUrl !== undefined;
      const { findFlow } = await import("./find-flow.ts");
      const wiring = wire(settings, tellerFor(command, { flags, io }));
      return (await findFlow(wiring, { name: args[0] ?? DEFAULT_FLOW, isRemote })).flow;
    });
    return await runReading(settled, { ...options, wire });
  } catch (failure) {
    return runReading(reading, { ...options, wire }, failure instanceof Error ? failure : new Error(String(failure)));
  }
}

/** Returns the same wiring for the same settings, so that nothing is loaded twice. */
function wireOnce(wire: Wire): Wire {
  const wirings = new Map<string, Wiring>();
  return (settings, tellWait) => {
    const key = JSON.stringify(settings);
    const wiring = wirings.get(key) ?? wire(settings, tellWait);
    wirings.set(key, wiring);
    return wiring;
  };
}

/** Undefined if a program reads the output, and for a service: nobody waits in front of its log. */
function tellerFor(
  command: Command,
  { flags, io }: Pick<Argv, "flags"> & Pick<CliOptions, "io">,
): TellWait | undefined {
  return asksForJson(flags) || command.logLevel === "info" ? undefined : tellerOfWaits(io.stderr);
}

/** `failure`: why the flow was not found whose contract says how to read the arguments. */
async function runReading(
  { command, args, rest, flags, lists, fields, problems }: Argv,
  { argv, env, io, wire, calledAs, version: versionInfo }: CliOptions,
  failure?: Error,
): Promise<number> {
  const json = asksForJson(flags);
  const typed = { calledAs, argv, typed: { flags, lists }, commands: COMMANDS, env };
  const writeHelp = async (words: readonly string[], output = io.stdout): Promise<string> => {
    const [{ showHelp }, { findFlow }] = await Promise.all([import("./show-help.ts"), import("./find-flow.ts")]);
    return showHelp({
      groups: COMMAND_GROUPS,
      words,
      look: { ...chooseLook(output, json ? "json" : undefined, { env, io }), program: calledAs },
      findFlow: async (of, name) => {
        const settings = resolveSettings(of, flags, env, lists, { logsAtTerminal: io.stderr.isTTY });
        const own = new Hints({ ...typed, apiBaseUrl: settings.apiBaseUrl });
        return { found: await findFlow(wire(settings), { name, isRemote: own.isRemote }), hints: own };
      },
    });
  };
  let debug = false;
  let hints = new Hints({ ...typed, apiBaseUrl: undefined });
  try {
    if (failure) throw failure;
    if (flags.has("help") && (command || problems.length === 0)) {
      const [flow] = command?.takesFields ? args : [];
      const words = [command?.name, flow].filter((word) => word !== undefined);
      await io.stdout.write(await writeHelp(words));
      return 0;
    }
    if (flags.has("version") && problems.length === 0) {
      await io.stdout.write(describeVersion(versionInfo, json));
      return 0;
    }
    if (problems.length > 0) throw usageError(problems);
    if (!command) {
      await io.stderr.write(await writeHelp([], io.stderr));
      return EXIT_USAGE;
    }
    const logsAtTerminal = io.stderr.isTTY;
    const ownEnv = command.needs === "program" ? {} : env;
    const settings = resolveSettings(command, flags, ownEnv, lists, { logsAtTerminal, action: args[0] });
    debug = settings.logLevel === "debug";
    hints = new Hints({ ...typed, apiBaseUrl: settings.apiBaseUrl });
    const interrupts = createInterrupts(io);
    const look = chooseLook(io.stdout, readFormat(flags), { env, io });
    const program: Program = { version: versionInfo, writeHelp };
    const done = command.run({
      args,
      rest,
      flags: withJson(flags),
      lists,
      fields,
      env,
      io,
      interrupts,
      look,
      talk: createPaint(wantsColor(io.stderr.isTTY, env)),
      logStyle: settings.logStyle,
      hints,
      wiring: wire(settings, tellerFor(command, { flags, io })),
      program,
      isRemote: hints.isRemote,
      changes: changes(command),
    });
    return await Promise.race([done, interrupts.second]);
  } catch (error) {
    const id = command?.args[0]?.name === "id" ? args[0] : undefined;
    const flow = command?.takesFields ? args[0] : undefined;
    const call = { command: command?.name, flow, id, follows: flags.has("wait"), hints };
    await io.endLive?.();
    return printError(io.stderr, error, { ...call, json, debug, env });
  }
}

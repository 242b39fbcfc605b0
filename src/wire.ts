// Builds what the settings ask for. The only file that knows store, engine, client, server and log at once; each is
// loaded when it is needed, for a command should not pay for what it does not use.

import { hostname } from "node:os";
import { isatty } from "node:tty";
import type { RunningServer, ServerOptions, Settings, Wiring } from "./cli/wiring.ts";
import { TaskonautError } from "./core/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "./core/limits.ts";
import type { Flow } from "./core/flow.ts";
import type { Log } from "./core/log.ts";
import type { Migrator } from "./core/migrator.ts";
import type { Taskonaut } from "./core/taskonaut.ts";
import { findFlowFiles, resolveFlowPaths } from "./flows/find-flow-files.ts";
import { createLog } from "./log/create-log.ts";
import { wantsColor } from "./log/paint.ts";
import { writeStderr } from "./log/write-sync.ts";
import { parseLocation, type Location } from "./store/location.ts";
import type { Store } from "./store/store.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export function createWire(env: Environment): (settings: Settings) => Wiring {
  return (settings) => wire(settings, env);
}

function wire(settings: Settings, env: Environment): Wiring {
  const { logLevel: level, logStyle: style } = settings;
  const log = createLog({ level, style, color: wantsColor(isatty(2), env), write: writeStderr });
  const openTaskonaut = (): Promise<Taskonaut> =>
    settings.apiBaseUrl === undefined
      ? openEngine(settings, env, log)
      : openClient(settings.apiBaseUrl, settings.apiToken);
  return {
    log,
    openTaskonaut,
    openMigrator: () => openMigrator(parseLocation(settings.databaseUrl, env), env),
    openFlows: async () => {
      const { createFlowCatalog } = await import("./engine/flow-catalog.ts");
      return createFlowCatalog(await loadAllFlows(settings, env), readLimits(env));
    },
    readTemplate: async (name) => {
      const { readTemplate } = await import("./flows/templates.ts");
      return readTemplate(name);
    },
    startServer: (options) => serve(options, { settings, env, log }),
    superviseServer: (_options, signal) => supervise(signal, { settings, env, log }),
  };
}

async function openEngine(settings: Settings, env: Environment, log: Log): Promise<Taskonaut> {
  const limits = readLimits(env);
  // a flow file with an error is found before anything is opened
  const flows = await loadAllFlows(settings, env);
  const [store, { createEngine }, { systemClock }] = await Promise.all([
    openStore(parseLocation(settings.databaseUrl, env), env),
    import("./engine/engine.ts"),
    import("./engine/system-clock.ts"),
  ]);
  return createEngine({
    store,
    flows,
    clock: systemClock,
    log,
    limits,
    newId: () => Bun.randomUUIDv7(),
    workerName: `${hostname()}:${process.pid}`,
  });
}

/** Those of the program and those of the files; the loader is loaded only where there are files. */
async function loadAllFlows(settings: Settings, env: Environment): Promise<readonly Flow[]> {
  const paths = flowPathsOf(settings, env);
  const [{ echoAdd }, loaded] = await Promise.all([
    import("./flows/echo-add.ts"),
    paths.length === 0 ? [] : import("./flows/loader.ts").then(({ loadFlows }) => loadFlows(paths)),
  ]);
  return [echoAdd, ...loaded];
}

function flowPathsOf({ flows }: Settings, env: Environment): readonly string[] {
  return flows === undefined ? [] : resolveFlowPaths({ flags: flows, env, cwd: process.cwd() });
}

async function openClient(baseUrl: string, token: string | undefined): Promise<Taskonaut> {
  const { createClient } = await import("./client/client.ts");
  return createClient({ baseUrl, token });
}

async function openStore(location: Location, env: Environment): Promise<Store> {
  if (location.dialect === "sqlite") {
    const { openSqliteStore } = await import("./store/sqlite/store.ts");
    return openSqliteStore({ path: location.path });
  }
  const { openPostgresStore } = await import("./store/postgres/store.ts");
  return openPostgresStore({ url: location.url, schema: schemaOf(env) });
}

async function openMigrator(location: Location, env: Environment): Promise<Migrator> {
  if (location.dialect === "sqlite") {
    const { openSqliteMigrator } = await import("./store/sqlite/migrate.ts");
    return openSqliteMigrator({ path: location.path });
  }
  const { openPostgresMigrator } = await import("./store/postgres/migrate.ts");
  return openPostgresMigrator({ url: location.url, schema: schemaOf(env) });
}

async function serve(
  { host, port, insecure }: ServerOptions,
  { settings, env, log }: { settings: Settings; env: Environment; log: Log },
): Promise<RunningServer> {
  const { inputBytes: maxBodyBytes, graceMs } = readLimits(env);
  const [taskonaut, { startServer }] = await Promise.all([openEngine(settings, env, log), import("./server/serve.ts")]);
  try {
    // a server that could answer nothing but 503 says why at once; what happens later it survives
    await taskonaut.checkReady();
    return await startServer({ taskonaut, host, port, token: settings.apiToken, insecure, maxBodyBytes, log, graceMs });
  } catch (error) {
    await taskonaut.close();
    throw error;
  }
}

/** This program again, as a child and without `--reload`. From sources: watch them; compiled: watch the binary. */
async function supervise(
  signal: AbortSignal,
  { settings, env, log }: { settings: Settings; env: Environment; log: Log },
): Promise<void> {
  const { superviseServer } = await import("./server/reload.ts");
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  const program = isCompiled ? [process.execPath] : [process.execPath, Bun.main];
  const sources = isCompiled ? [process.execPath] : [import.meta.dir];
  const args = process.argv.slice(2).filter((arg) => arg !== "--reload");
  const flowPaths = flowPathsOf(settings, env);
  findFlowFiles(flowPaths); // a path that is not there cannot be watched: it is said now
  await superviseServer({ command: [...program, ...args], watch: [...sources, ...flowPaths], signal, log });
}

function schemaOf(env: Environment): string {
  return env["TASKONAUT_SCHEMA"] || "taskonaut";
}

/** The limits that a person may set, by environment variable. */
const LIMIT_VARIABLES = {
  TASKONAUT_MAX_INPUT_BYTES: "inputBytes",
  TASKONAUT_MAX_OUTPUT_BYTES: "outputBytes",
  TASKONAUT_MAX_STEPS: "stepsPerTask",
  TASKONAUT_TOOL_TIMEOUT_MS: "toolTimeoutMs",
  TASKONAUT_MAX_CHILD_DEPTH: "childDepth",
} as const satisfies Record<string, keyof Limits>;

function readLimits(env: Environment): Limits {
  const limits: { -readonly [Limit in keyof Limits]: Limits[Limit] } = { ...DEFAULT_LIMITS };
  for (const [name, limit] of Object.entries(LIMIT_VARIABLES)) {
    const text = env[name];
    if (!text) continue;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
      throw new TaskonautError("usage", `${name} must be an integer, 1 or more, got ${JSON.stringify(text)}.`);
    }
    limits[limit] = value;
  }
  return limits;
}

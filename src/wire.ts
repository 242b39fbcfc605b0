// Builds what the settings ask for. The only file that knows store, engine, client, server and log at once; each is
// loaded when it is needed, for a command should not pay for what it does not use.

import { hostname } from "node:os";
import { isatty } from "node:tty";
import type { RunningServer, ServerOptions, Settings, Wiring } from "./cli/wiring.ts";
import { TaskonautError } from "./core/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import type { Migrator } from "./core/migrator.ts";
import type { Taskonaut } from "./core/taskonaut.ts";
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
    startServer: (options) => serve(options, { settings, env, log }),
    superviseServer: (_options, signal) => supervise(signal, log),
  };
}

async function openEngine(settings: Settings, env: Environment, log: Log): Promise<Taskonaut> {
  const limits = readLimits(env);
  const [store, { createEngine }, { systemClock }, { echoAdd }] = await Promise.all([
    openStore(parseLocation(settings.databaseUrl, env), env),
    import("./engine/engine.ts"),
    import("./engine/system-clock.ts"),
    import("./flows/echo-add.ts"),
  ]);
  return createEngine({
    store,
    flows: [echoAdd],
    clock: systemClock,
    log,
    limits,
    newId: () => Bun.randomUUIDv7(),
    workerName: `${hostname()}:${process.pid}`,
  });
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
async function supervise(signal: AbortSignal, log: Log): Promise<void> {
  const { superviseServer } = await import("./server/reload.ts");
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  const program = isCompiled ? [process.execPath] : [process.execPath, Bun.main];
  const sources = isCompiled ? [process.execPath] : [import.meta.dir];
  const args = process.argv.slice(2).filter((arg) => arg !== "--reload");
  await superviseServer({ command: [...program, ...args], watch: sources, signal, log });
}

function schemaOf(env: Environment): string {
  return env["TASKONAUT_SCHEMA"] || "taskonaut";
}

function readLimits(env: Environment): Limits {
  const name = "TASKONAUT_MAX_INPUT_BYTES";
  const text = env[name];
  if (!text) return DEFAULT_LIMITS;
  const inputBytes = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(inputBytes) || inputBytes < 1) {
    throw new TaskonautError("usage", `${name} must be a number of bytes, 1 or more, got ${JSON.stringify(text)}.`);
  }
  return { ...DEFAULT_LIMITS, inputBytes };
}

// Builds what the settings ask for. The only file that knows store, engine, client, server and log at once; each is
// loaded when it is needed, for a command should not pay for what it does not use.

import { hostname } from "node:os";
import { join, resolve, sep } from "node:path";
import type {
  ApiDocument,
  MetricsAddress,
  RunningServer,
  RunningWorker,
  ServerOptions,
  Settings,
  TestOptions,
  WorkerFacts,
  WorkerOptions,
  Wire,
  Wiring,
} from "./cli/wiring.ts";
import { setActivity } from "./core/flow/activity.ts";
import { whileLoading } from "./core/flow/loading.ts";
import type { BenchOptions, BenchReport } from "./core/api/bench.ts";
import type { Limits } from "./core/limits.ts";
import type { Flow } from "./core/flow/flow.ts";
import type { StartHeartbeat } from "./core/heartbeat.ts";
import type { Log } from "./core/log.ts";
import type { TaskListener } from "./core/api/task-listener.ts";
import type { TellWait } from "./core/waiting.ts";
import type { Taskonaut } from "./core/api/taskonaut.ts";
import type { Engine } from "./engine/engine-options.ts";
import type { LineStyle } from "./heartbeat/messages.ts";
import { findEmbedded } from "./flows/embedded.ts";
import { findFlowFiles, resolveFlowPaths } from "./flows/find-flow-files.ts";
import type { PassedOver } from "./flows/loader.ts";
import { createLog } from "./log/create-log.ts";
import { wantsColor } from "./log/paint.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { isTerminal } from "./cli/terminal.ts";
import type { LineWriter } from "./cli/line-writer.ts";
import type { UserCode } from "./cli/user-code.ts";
import { readLimits } from "./read-limits.ts";
import { isInMemory, parseAddress, type StoreAddress } from "./store/address.ts";
import { backUp, openBenchPlace, openMigrator, openStore, type StoreOptions } from "./store/open.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What belongs to the whole process. */
interface Process {
  /** Where log lines go. */
  readonly lines: LineWriter;
  readonly userCode?: UserCode;
  /** Of the program. */
  readonly version?: string;
}

export function createWire(env: Environment, { lines, userCode, version }: Process): Wire {
  // before any file of a user's is loaded, which could go to another folder
  const cwd = process.cwd();
  return (settings, tellWait) => {
    const log = createLog({ ...lineStyleOf(settings, env), level: settings.logLevel, write: lines.write });
    lines.onDropped((count) => log.warn?.("log lines were dropped: nobody read stderr", { lines: count }));
    userCode?.tellTo(log);
    return wire({ settings, env, cwd, log, userCode, version, tellWait });
  };
}

/** What everything is built from. */
interface Surroundings {
  readonly settings: Settings;
  readonly env: Environment;
  /** The folder that the program was started in: relative paths are meant there. */
  readonly cwd: string;
  readonly log: Log;
  readonly userCode: UserCode | undefined;
  readonly version: string | undefined;
  readonly tellWait: TellWait | undefined;
}

interface Context extends Surroundings {
  /** Loads them once: a file runs as often as it is loaded. */
  flows(): Promise<LoadedFlows>;
}

function wire(surroundings: Surroundings): Wiring {
  let loading: Promise<LoadedFlows> | undefined;
  const context: Context = { ...surroundings, flows: () => (loading ??= loadAllFlows(surroundings)) };
  const { settings, env, log, tellWait } = context;
  const openTaskonaut = async (listener?: TaskListener): Promise<Taskonaut> =>
    settings.apiBaseUrl === undefined
      ? (await openEngine(context, { mustExist: !settings.makesDatabase, listener })).engine
      : openClient(settings.apiBaseUrl, settings.apiToken);
  return {
    log,
    openTaskonaut,
    openMigrator: async () => openMigrator(addressOf(context), { tellWait }),
    sendSpans: async (spans) => {
      const { openTraces } = await import("./telemetry/traces/open-traces.ts");
      const exporter = openTraces({ env, log, version: context.version ?? "unknown" });
      if (exporter) return exporter.sendAll(spans);
      const { TaskonautError } = await import("./core/errors.ts");
      throw new TaskonautError(
        "usage",
        "No collector is known: set OTEL_EXPORTER_OTLP_ENDPOINT, for example to http://127.0.0.1:4318.",
      );
    },
    backUp: async (file) => backUp(addressOf(context), resolve(context.cwd, file), tellWait),
    openFlows: async () => {
      const { createFlowCatalog } = await import("./engine/doors/flow-catalog.ts");
      const { flows, passedOver } = await context.flows();
      return createFlowCatalog(flows, readLimits(env), passedOver);
    },
    readApiDocument: () => readApiDocument(context),
    readClientPackage: async () => {
      const { readClientPackage } = await import("./flows/templates.ts");
      return readClientPackage(context.version ?? "0.0.0");
    },
    hasFlowFile: (path) => flowPathsOf(context).some((at) => path === at || path.startsWith(join(at, sep))),
    readTemplate: async (name) => {
      const { readTemplate } = await import("./flows/templates.ts");
      return readTemplate(name);
    },
    startServer: (options) => serve(options, context),
    startWorker: (options) => work(options, context),
    runBench: (options) => bench(options, context),
    runTests: (options) => test(options, context),
    superviseServer: (_options, signal) => supervise(signal, context),
  };
}

interface OpenEngine {
  readonly engine: Engine;
  /** Of the store, for people. */
  readonly location: string;
  /** Names of the flows that it has. */
  readonly flows: readonly string[];
  readonly metrics: Metrics | undefined;
}

interface EngineNeeds extends StoreOptions {
  readonly listener?: TaskListener | undefined;
  /** What it does is counted, for Prometheus. */
  readonly isMeasured?: boolean;
}

/** `works`: it will have a worker, whose lease is kept by a thread of its own. */
async function openEngine(
  context: Context,
  { works = false, mustExist = false, listener, isMeasured = false }: EngineNeeds = {},
): Promise<OpenEngine> {
  const { settings, env, log, tellWait } = context;
  const limits = readLimits(env);
  const address = addressOf(context);
  // a flow file with an error is found before anything is opened
  const { flows } = settings.loadsFlows ? await context.flows() : await loadAllFlows(context, { withFiles: false });
  const [store, { createEngine }, { systemClock }, startHeartbeat] = await Promise.all([
    openStore(address, { works, mustExist, tellWait }),
    import("./engine/engine.ts"),
    import("./engine/process/system-clock.ts"),
    works ? loadHeartbeat(address, limits, context) : undefined,
    (works && !isInMemory(address)) || flows.every(({ file }) => file === undefined)
      ? undefined
      : watchLate(address, limits, context),
  ]);
  const { observe } = await import("./telemetry/observe.ts");
  const observed = await observe(store, { isMeasured, version: context.version, env, log });
  const engine = createEngine({
    store: observed.store,
    flows,
    clock: systemClock,
    log,
    limits,
    newId: () => Bun.randomUUIDv7(),
    workerName: `${hostname()}:${process.pid}`,
    tellWait,
    listener,
    ...(context.userCode && { toolWatch: context.userCode }),
    ...(startHeartbeat && { startHeartbeat }),
  });
  return { engine, location: store.location, flows: flows.map(({ name }) => name), metrics: observed.metrics };
}

/** Undefined for a store in memory, which no other thread can reach. */
async function loadHeartbeat(
  address: StoreAddress,
  limits: Limits,
  context: Context,
): Promise<StartHeartbeat | undefined> {
  if (isInMemory(address)) return undefined;
  const [{ startHeartbeat }, { SharedActivity }] = await Promise.all([
    import("./heartbeat/start-heartbeat.ts"),
    import("./heartbeat/shared-activity.ts"),
  ]);
  const activity = new SharedActivity();
  setActivity(activity);
  const { log } = context;
  const line = lineStyleOf(context.settings, context.env);
  const options = { address, ...stuckLimits(limits), activity, log, line, atTerminal: isTerminal(0) };
  return (worker) => startHeartbeat({ ...worker, ...options });
}

/** Of a process without a heartbeat that runs flows of files: they and their tools may not come to an end. */
async function watchLate(address: StoreAddress, limits: Limits, context: Context): Promise<void> {
  // nothing takes over a task in memory, so there is nothing to gain by killing the process: it is watched for Ctrl-C only
  const isOnlyHere = isInMemory(address);
  if (isOnlyHere && !isTerminal(0)) return;
  const { LateWatchdog } = await import("./heartbeat/start-watchdog.ts");
  const line = lineStyleOf(context.settings, context.env);
  // Ctrl-C comes from where stdin is
  const bounds = isOnlyHere ? { stuckMs: Infinity, flowStuckMs: Infinity } : stuckLimits(limits);
  setActivity(new LateWatchdog({ address, ...bounds, line, atTerminal: isTerminal(0) }));
}

/** What can be cut short is by then. */
function stuckLimits({ stuckMs, flowStuckMs }: Limits): Pick<Limits, "stuckMs" | "flowStuckMs"> {
  return { stuckMs, flowStuckMs: 3 * flowStuckMs };
}

interface LoadedFlows {
  readonly flows: readonly Flow[];
  /** Files of a folder that gave none. */
  readonly passedOver: readonly PassedOver[];
}

/** Those of the program and those of the files; the loader is loaded only where there are files. */
async function loadAllFlows(surroundings: Surroundings, { withFiles = true } = {}): Promise<LoadedFlows> {
  const paths = withFiles ? flowPathsOf(surroundings) : [];
  const { log, userCode } = surroundings;
  const passedOver: PassedOver[] = [];
  if (paths.length > 0) userCode?.beforeFiles();
  const onPassedOver = (passed: PassedOver): void => {
    const { file, why, isOdd } = passed;
    passedOver.push(passed);
    (isOdd ? log.warn : log.info)?.("a file among the flows is passed over", { path: file, why });
  };
  const [{ BUILT_IN_FLOWS }, loaded] = await Promise.all([
    import("./flows/built-in.ts"),
    paths.length === 0
      ? []
      : whileLoading(async () => (await import("./flows/loader.ts")).loadFlows(paths, onPassedOver)),
  ]);
  return { flows: [...BUILT_IN_FLOWS, ...loaded], passedOver };
}

function flowPathsOf({ settings: { flows }, env, cwd }: Surroundings): readonly string[] {
  return resolveFlowPaths({ flags: flows, env, cwd });
}

function addressOf({ settings, env, cwd }: Context): StoreAddress {
  return parseAddress(settings.databaseUrl, env, cwd);
}

async function openClient(baseUrl: string, token: string | undefined): Promise<Taskonaut> {
  const { createClient } = await import("./client/client.ts");
  return createClient({ baseUrl, token });
}

/** Of the server that the settings name, or as one with these flows would have it. */
async function readApiDocument(context: Context): Promise<ApiDocument> {
  const { settings, version = "unknown" } = context;
  if (settings.apiBaseUrl !== undefined) {
    const { fetchApiDocument } = await import("./client/api-document.ts");
    return fetchApiDocument({ baseUrl: settings.apiBaseUrl, token: settings.apiToken });
  }
  const { readApiDocument: read } = await import("./server/api-document.ts");
  // no task is asked for
  const { engine } = await openEngine({ ...context, settings: { ...settings, databaseUrl: "sqlite::memory:" } });
  try {
    return await read(engine, version);
  } finally {
    await engine.close();
  }
}

async function serve({ host, port, insecure, worker }: ServerOptions, context: Context): Promise<RunningServer> {
  const { settings, env, log } = context;
  const { inputBytes: maxBodyBytes, graceMs } = readLimits(env);
  const [opened, { startServer }] = await Promise.all([
    openEngine(context, { works: worker !== undefined, isMeasured: true }),
    import("./server/serve.ts"),
  ]);
  const taskonaut = opened.engine;
  let stop = (): Promise<void> => taskonaut.close();
  try {
    // a server that could answer nothing but 503 says why at once; what happens later it survives
    await taskonaut.checkReady();
    const server = await startServer({
      taskonaut,
      host,
      port,
      token: settings.apiToken,
      insecure,
      maxBodyBytes,
      log,
      version: context.version,
      readUi,
      gate: opened.engine.tokens,
      sessions: opened.engine.sessions,
      metrics: opened.metrics,
      graceMs,
    });
    ({ stop } = server);
    const { location, flows } = opened;
    return { ...server, location, flows, worker: worker && (await startWorker(opened, worker)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** From sources it is built now; a path that is put together is not bundled. */
async function readUi(): Promise<Uint8Array> {
  const embedded = findEmbedded("ui");
  if (embedded) return new Uint8Array(await embedded.arrayBuffer());
  const script = join(import.meta.dir, "../.scripts/ui-assets.ts");
  const { uiAssets } = (await import(script)) as { readonly uiAssets: () => Promise<Uint8Array> };
  return uiAssets();
}

async function work(
  { metrics: at, ...options }: WorkerOptions & { readonly metrics?: MetricsAddress | undefined },
  context: Context,
): Promise<RunningWorker> {
  const opened = await openEngine(context, { works: true, isMeasured: at !== undefined });
  try {
    await opened.engine.checkReady();
    const { metrics } = opened;
    const served =
      at && metrics && (await import("./server/serve.ts")).serveMetrics({ ...at, metrics, log: context.log });
    const stop = async (): Promise<void> => {
      await opened.engine.close();
      await served?.stop();
    };
    return { ...(await startWorker(opened, options)), metricsUrl: served?.url, stop };
  } catch (error) {
    await opened.engine.close();
    throw error;
  }
}

/** Whoever closes the engine stops it. */
async function startWorker(
  { engine, location, flows, metrics }: OpenEngine,
  options: WorkerOptions,
): Promise<WorkerFacts> {
  const worker = await engine.startWorker(options);
  metrics?.noteWorker({ concurrency: options.concurrency, driven: () => worker.driven });
  return { ...options, id: worker.id, location, flows };
}

async function bench(options: BenchOptions, context: Context): Promise<BenchReport> {
  const { settings, env, log } = context;
  const { stuckMs } = readLimits(env);
  const line = lineStyleOf(settings, env);
  const [{ runBench }, { startHeartbeat }] = await Promise.all([
    import("./bench/run-bench.ts"),
    import("./heartbeat/start-heartbeat.ts"),
  ]);
  const place = await openBenchPlace(addressOf(context));
  const { address } = place;
  return runBench(place, (worker) => startHeartbeat({ ...worker, address, stuckMs, log, line }), options);
}

async function test({ paths, ...options }: TestOptions, context: Context): Promise<number> {
  const { cwd, env } = context;
  const [{ findTests }, { runTests }] = await Promise.all([
    import("./runner/find-tests.ts"),
    import("./runner/run-tests.ts"),
  ]);
  return runTests({ ...options, files: findTests(paths, { flowPaths: flowPathsOf(context), cwd }), cwd, env });
}

/** This program again, as a child and without `--reload`. From sources: watch them; compiled: watch the binary. */
async function supervise(signal: AbortSignal, context: Context): Promise<void> {
  const { env, log } = context;
  const { superviseServer } = await import("./server/reload.ts");
  const isCompiled = Bun.main.startsWith("/$bunfs/");
  const program = isCompiled ? [process.execPath] : [process.execPath, Bun.main];
  const sources = isCompiled ? [process.execPath] : [import.meta.dir];
  const args = process.argv.slice(2).filter((arg) => arg !== "--reload");
  const flowPaths = flowPathsOf(context);
  findFlowFiles(flowPaths); // a path that is not there cannot be watched: it is said now
  const { graceMs } = readLimits(env);
  await superviseServer({ command: [...program, ...args], watch: [...sources, ...flowPaths], signal, log, graceMs });
}

function lineStyleOf({ logStyle: style }: Settings, env: Environment): LineStyle {
  return { style, color: wantsColor(isTerminal(2), env) };
}

// What the CLI needs from `src/wire.ts`, which knows all parts. Settings are resolved (flags over environment over
// defaults) before anything is opened, and a command opens only what it needs.

import type { Backup } from "../core/api/backup.ts";
import type { BenchOptions, BenchReport } from "../core/api/bench.ts";
import type { FlowCatalog } from "../core/api/flow-catalog.ts";
import type { Log, LogLevel } from "../core/log.ts";
import type { LogStyle } from "../log/create-log.ts";
import type { Migrator } from "../core/api/migrator.ts";
import type { TaskListener } from "../core/api/task-listener.ts";
import type { SentSpans, Span } from "../core/record/trace.ts";
import type { TellWait } from "../core/waiting.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";

export interface Settings {
  /** `sqlite:<path>`, `postgres://…`; undefined: an SQLite file in the user's data folder. */
  readonly databaseUrl: string | undefined;
  /** Set: commands speak to this server instead of to a store. */
  readonly apiBaseUrl: string | undefined;
  readonly apiToken: string | undefined;
  /** Whether a missing SQLite file is created. */
  readonly makesDatabase: boolean;
  /** Flow files and folders, as typed; none: the places where they usually are. */
  readonly flows: readonly string[];
  /** Whether the files among them are loaded, where tasks are asked for. */
  readonly loadsFlows: boolean;
  readonly logLevel: LogLevel;
  readonly logStyle: LogStyle;
}

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Serve on an address that is not loopback although there is no token. */
  readonly insecure: boolean;
  /** Take tasks from the queue beside serving; undefined: serve only. */
  readonly worker: WorkerOptions | undefined;
}

/** What a process works on. */
export interface StoreFacts {
  /** Where its tasks are, without passwords. */
  readonly location: string;
  /** Names of the flows that it has. */
  readonly flows: readonly string[];
}

export interface RunningServer extends StoreFacts {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  /** The worker inside. */
  readonly worker: WorkerFacts | undefined;
  /** Takes no more requests and no more tasks, lets what is under way end (bounded by one grace period), closes the store. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  /** How many tasks it drives at once. */
  readonly concurrency: number;
}

/** Where a worker without a server tells Prometheus what it counts. */
export interface MetricsAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** It takes the tasks of its flows. */
export interface WorkerFacts extends WorkerOptions, StoreFacts {
  readonly id: string;
}

export interface RunningWorker extends WorkerFacts {
  /** Of its metrics; undefined: it tells nobody. */
  readonly metricsUrl?: string | undefined;
  /** Takes no more tasks, lets running tools end (bounded by the grace period), releases the rest, closes the store. */
  stop(): Promise<void>;
}

type TemplateName = "order" | "incident";

export interface Template {
  /** The flow that it has, and fields that run it. */
  readonly flow: string;
  readonly example: readonly string[];
  /** The user's from then on, by their path in the folder. */
  readonly files: ReadonlyMap<string, string>;
  /** Ours, by their path in `.taskonaut`. */
  readonly generated: ReadonlyMap<string, string>;
}

export interface TestOptions {
  /** Files and folders, as typed; none: those of the flows. */
  readonly paths: readonly string[];
  /** For the runner, as it takes them. */
  readonly options: readonly string[];
  readonly color: boolean;
  /** Shows a piece of the report; false: nobody reads any more. */
  readonly show: (text: string) => Promise<boolean>;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

interface ApiOperation {
  readonly summary: string;
  /** It is there because of this flow, or of flows with this signal. */
  readonly "x-flow"?: string;
  readonly "x-signal"?: string;
}

/** What is read of an OpenAPI document here. */
export interface ApiDocument {
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
}

export interface Wiring {
  readonly log: Log;
  /**
   * `listener` is told what happens to the tasks that this process drives; a server tells nobody. Throws database_not_found
   * where the settings say that no file is made, and there is none.
   */
  openTaskonaut(listener?: TaskListener): Promise<Taskonaut>;
  openMigrator(): Promise<Migrator>;
  /** Sends spans to the collector that the variables of OpenTelemetry name. Throws usage where they name none. */
  sendSpans(spans: readonly Span[]): Promise<SentSpans>;
  /** Copies an SQLite database to a new file. Throws usage, with what to use instead where it is on PostgreSQL. */
  backUp(file: string): Promise<Backup>;
  /** The flows of the files and of the program, without a store. Throws flow_load_failed. */
  openFlows(): Promise<FlowCatalog>;
  /** The OpenAPI document of a server with these flows, or of the server that the settings name. */
  readApiDocument(): Promise<ApiDocument>;
  /** Whether this file, or a folder that it is in, is among those that flows come from. */
  hasFlowFile(path: string): boolean;
  /** What `types --client` writes: texts by their path in the package's folder. */
  readClientPackage(): Promise<ReadonlyMap<string, string>>;
  /** What `init` writes: texts by their path in the new folder. */
  readTemplate(name: TemplateName): Promise<Template>;
  startServer(options: ServerOptions): Promise<RunningServer>;
  startWorker(options: WorkerOptions & { readonly metrics?: MetricsAddress | undefined }): Promise<RunningWorker>;
  /** Measures the database in a schema or file of its own, which is gone when this ends. Throws cancelled. */
  runBench(options: BenchOptions): Promise<BenchReport>;
  /** Runs tests, shows what the runner reports, and gives its exit code. Throws usage where there are none. */
  runTests(options: TestOptions): Promise<number>;
  /** Runs this same program's `run-app` in a child process and starts it anew when a source or flow file changes; ends when `signal` aborts. */
  superviseServer(options: ServerOptions, signal: AbortSignal): Promise<void>;
}

export interface VersionInfo {
  readonly version: string;
  /** Short git commit hash, or "unknown". */
  readonly commit: string;
  readonly bun: string;
}

/** `tellWait` is told what commands wait for; without it nobody is. */
export type Wire = (settings: Settings, tellWait?: TellWait) => Wiring;

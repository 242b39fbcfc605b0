// A process's metrics of its tasks, for Prometheus. The store reports each write once it is durable, and no write waits
// for them. There are few labels: names of flows, tools and states.

import type { Claim } from "../store/store.ts";
import type { TaskRow, ToolCallRow } from "../core/record/record.ts";
import { type Buckets, type Count, Registry } from "./registry.ts";
import type { SpanCounts } from "./traces/exporter.ts";
import { type FiguresOptions, StoreFigures } from "./store-figures.ts";

/** From a millisecond to a day, in seconds. */
const SECONDS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400,
];
const SHORT_SECONDS = SECONDS.slice(0, 13);
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 400, 800];

export interface MetricsFacts {
  /** The program's version. */
  readonly version: string;
  readonly dialect: string;
  /** The source of figures about the whole store. Unset: there are none. */
  readonly store?: FiguresOptions["store"] | undefined;
}

/** How many tasks a worker drives, and how many it can. */
export interface WorkerLoad {
  readonly concurrency: number;
  driven(): number;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #figures: StoreFigures | undefined;
  #worker: WorkerLoad | undefined;
  readonly #flows = new Map<string, FlowSeries>();
  readonly #tools = new Map<string, ToolSeries>();
  readonly #created = this.#registry.counter("taskonaut_tasks_created_total", "Tasks that were created here.", [
    "flow",
  ]);
  readonly #finished = this.#registry.counter("taskonaut_tasks_finished_total", "Tasks that ended here.", [
    "flow",
    "status",
  ]);
  readonly #taskSeconds = this.#registry.histogram(
    "taskonaut_task_duration_seconds",
    "From the creation of a task to its end.",
    { labels: ["flow", "status"], bounds: SECONDS },
  );
  readonly #attempts = this.#registry.counter("taskonaut_tool_attempts_total", "Attempts of tools that ended here.", [
    "tool",
    "outcome",
  ]);
  readonly #toolSeconds = this.#registry.histogram(
    "taskonaut_tool_duration_seconds",
    "How long the last attempt of a tool took.",
    { labels: ["tool", "outcome"], bounds: SECONDS },
  );
  readonly #queueDelay = this.#registry.histogram(
    "taskonaut_queue_delay_seconds",
    "From the time at which a task was due to the claim of a worker.",
    { labels: ["flow"], bounds: SECONDS },
  );
  readonly #takeovers = this.#registry.counter("taskonaut_takeovers_total", "Tasks taken over from dead workers.", [
    "flow",
  ]);
  readonly #parked = this.#registry.counter("taskonaut_parked_total", "Tasks that were parked here.", ["flow"]);
  readonly #commitSeconds = this.#registry.histogram("taskonaut_store_commit_seconds", "How long a commit took.", {
    labels: ["outcome"],
    bounds: SHORT_SECONDS,
  });
  readonly #batchRows = this.#registry.histogram("taskonaut_store_batch_tasks", "Tasks of one commit.", {
    labels: [],
    bounds: ROWS,
  });
  readonly #requests = this.#registry.histogram(
    "taskonaut_http_request_duration_seconds",
    "How long a request took, up to the first byte of its answer.",
    { labels: ["route", "method", "status"], bounds: SHORT_SECONDS },
  );

  constructor({ version, dialect, store }: MetricsFacts) {
    this.#figures = store && new StoreFigures({ store });
    this.#figures?.addTo(this.#registry);
    this.#registry.reading("taskonaut_worker_slots", "Places for tasks of the worker in this process.", {
      labels: ["state"],
      read: () => slotsOf(this.#worker),
    });
    this.#registry.reading("taskonaut_build_info", "The program that runs here.", {
      labels: ["version", "store"],
      read: () => [[{ version, store: dialect }, 1]],
    });
    const started = Date.now() / 1000;
    this.#registry.reading("process_start_time_seconds", "When the process started, in seconds since 1970.", {
      labels: [],
      read: () => [[{}, started]],
    });
    this.#registry.reading("process_resident_memory_bytes", "Memory of the process.", {
      labels: [],
      read: () => [[{}, process.memoryUsage.rss()]],
    });
    this.#registry.reading("process_cpu_seconds_total", "Processor time of the process.", {
      type: "counter",
      labels: [],
      read: () => {
        const { user, system } = process.cpuUsage();
        return [[{}, (user + system) / 1e6]];
      },
    });
  }

  /** For `GET /metrics`. Waits a few seconds at most for the store. */
  async write(): Promise<string> {
    await this.#figures?.refresh();
    return this.#registry.write();
  }

  noteTraces(counts: Readonly<SpanCounts>): void {
    this.#registry.reading("taskonaut_spans_total", "Spans for a collector of traces, by what became of them.", {
      type: "counter",
      labels: ["outcome"],
      read: () => Object.entries(counts).map(([outcome, spans]) => [{ outcome }, spans] as const),
    });
  }

  noteWorker(worker: WorkerLoad): void {
    this.#worker = worker;
  }

  noteCreated(task: TaskRow, calls: readonly ToolCallRow[]): void {
    this.#ofFlow(task.flow_name).created.count += 1;
    this.#noteEnd(task);
    for (const call of calls) this.noteCall(call);
  }

  noteChanged(task: TaskRow, calls: readonly ToolCallRow[]): void {
    this.#noteEnd(task);
    if (task.parked_reason !== null) this.#parked.of({ flow: task.flow_name }).count += 1;
    for (const call of calls) this.noteCall(call);
  }

  noteCall({ tool_name: tool, status, retry_count, started_at, finished_at }: ToolCallRow): void {
    if (finished_at === null) return;
    const series = this.#ofTool(tool);
    const { attempts, seconds } = status === "COMPLETED" ? series.completed : series.failed;
    attempts.count += 1;
    series.failed.attempts.count += retry_count;
    seconds.observe(Math.max(0, finished_at - started_at) / 1000);
  }

  noteClaim({ tasks, now }: Pick<Claim, "tasks" | "now">): void {
    for (const { record, takenFrom } of tasks) {
      const { flow_name: flow, due_at } = record.task;
      if (due_at !== null) this.#ofFlow(flow).queueDelay.observe(Math.max(0, now - due_at) / 1000);
      if (takenFrom !== null) this.#takeovers.of({ flow }).count += 1;
    }
  }

  noteCommit(tasks: number, ms: number, outcome: "written" | "failed"): void {
    this.#commitSeconds.of({ outcome }).observe(ms / 1000);
    this.#batchRows.of({}).observe(tasks);
  }

  /** `route`: its pattern, not the requested path. */
  noteRequest(request: { readonly route: string; readonly method: string; readonly status: number }, ms: number): void {
    this.#requests.of({ ...request, status: String(request.status) }).observe(ms / 1000);
  }

  #noteEnd({ flow_name, status, created_at, finished_at }: TaskRow): void {
    if (finished_at === null) return;
    if (status !== "COMPLETED" && status !== "FAILED" && status !== "CANCELLED") return;
    const { finished, seconds } = this.#ofFlow(flow_name).ends[status];
    finished.count += 1;
    seconds.observe(Math.max(0, finished_at - created_at) / 1000);
  }

  #ofFlow(flow: string): FlowSeries {
    const known = this.#flows.get(flow);
    if (known) return known;
    const endOf = (status: EndStatus): EndSeries => ({
      finished: this.#finished.of({ flow, status }),
      seconds: this.#taskSeconds.of({ flow, status }),
    });
    const series = {
      created: this.#created.of({ flow }),
      queueDelay: this.#queueDelay.of({ flow }),
      ends: { COMPLETED: endOf("COMPLETED"), FAILED: endOf("FAILED"), CANCELLED: endOf("CANCELLED") },
    };
    this.#flows.set(flow, series);
    return series;
  }

  #ofTool(tool: string): ToolSeries {
    const known = this.#tools.get(tool);
    if (known) return known;
    const outcomeOf = (outcome: string): OutcomeSeries => ({
      attempts: this.#attempts.of({ tool, outcome }),
      seconds: this.#toolSeconds.of({ tool, outcome }),
    });
    const series = { completed: outcomeOf("completed"), failed: outcomeOf("failed") };
    this.#tools.set(tool, series);
    return series;
  }
}

function slotsOf(worker: WorkerLoad | undefined): readonly (readonly [{ readonly state: string }, number])[] {
  if (!worker) return [];
  const used = worker.driven();
  return [
    [{ state: "used" }, used],
    [{ state: "free" }, Math.max(0, worker.concurrency - used)],
  ];
}

type EndStatus = "COMPLETED" | "FAILED" | "CANCELLED";

interface EndSeries {
  readonly finished: Count;
  readonly seconds: Buckets;
}

/** All series of one flow, looked up once. */
interface FlowSeries {
  readonly created: Count;
  readonly queueDelay: Buckets;
  readonly ends: Readonly<Record<EndStatus, EndSeries>>;
}

interface OutcomeSeries {
  readonly attempts: Count;
  readonly seconds: Buckets;
}

interface ToolSeries {
  readonly completed: OutcomeSeries;
  readonly failed: OutcomeSeries;
}

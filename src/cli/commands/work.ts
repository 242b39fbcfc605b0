import { showBanner } from "../banner.ts";
import type { Call, Command } from "../command.ts";
import { readCount, usageError } from "../usage.ts";
import { whenAborted } from "../when-aborted.ts";
import type { MetricsAddress } from "../wiring.ts";
import { CONCURRENCY_OPTION, logWorkerStarted, readConcurrency } from "../worker-options.ts";

const HOST_DEFAULT = "127.0.0.1";

export const work: Command = {
  name: "work",
  summary: "Take tasks from the queue and run them",
  about: "It runs until SIGINT or SIGTERM, then lets running tools end. Any number of workers may share one database.",
  args: [],
  options: [
    CONCURRENCY_OPTION,
    { name: "metrics-port", value: "port", summary: "Serve /metrics there for Prometheus (0: any free port)" },
    {
      name: "metrics-host",
      value: "host",
      summary: `Address for that (default: ${HOST_DEFAULT}); anybody who reaches it can read the metrics`,
    },
  ],
  takesFields: false,
  needs: "database",
  ignores: ["format"],
  logLevel: "info",
  examples: [
    "work",
    "work --flows my-flows --concurrency 20",
    "work --metrics-port 9464",
    "work --database-url postgres://postgres:postgres@127.0.0.1:5433/taskrunner",
  ],

  async run(call) {
    const concurrency = readConcurrency(call);
    const { interrupts, wiring } = call;
    const { log } = wiring;
    const leave = new AbortController();
    // listens from the start: a signal that comes while the database is opened counts too
    const stopListening = interrupts.onFirst(() => {
      leave.abort();
    });
    try {
      const worker = await wiring.startWorker({ concurrency, metrics: readMetrics(call) });
      if (!(await showBanner(call, { ...worker, url: undefined, worker }))) logWorkerStarted(log, worker);
      if (worker.metricsUrl !== undefined)
        log.info?.(`Metrics at ${worker.metricsUrl}/metrics`, { url: worker.metricsUrl });
      await whenAborted(leave.signal);
      log.info?.(
        "Stopping: the worker takes no more tasks, and lets running tools end. A second signal stops it at once",
      );
      await worker.stop();
      log.info?.("Stopped", { worker_id: worker.id });
      return 0;
    } finally {
      stopListening();
    }
  },
};

/** Throws usage. */
function readMetrics({ flags }: Call): MetricsAddress | undefined {
  const port = readCount(flags, "metrics-port", { min: 0, max: 65_535 });
  const host = flags.get("metrics-host");
  if (port !== undefined) return { host: host ?? HOST_DEFAULT, port };
  if (host !== undefined)
    throw usageError([{ path: "--metrics-host", message: "means nothing without --metrics-port" }]);
  return undefined;
}

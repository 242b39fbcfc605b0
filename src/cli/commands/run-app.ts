import { showBanner } from "../banner.ts";
import type { Call, Command } from "../command.ts";
import { readCount, usageError } from "../usage.ts";
import { whenAborted } from "../when-aborted.ts";
import type { ServerOptions } from "../wiring.ts";
import { CONCURRENCY_OPTION, logWorkerStarted, readConcurrency } from "../worker-options.ts";

const HOST_DEFAULT = "127.0.0.1";
const PORT_DEFAULT = 8000;

export const runApp: Command = {
  name: "run-app",
  summary: "Serve the HTTP API, with a worker inside",
  about: "It runs until SIGINT or SIGTERM, then lets running tools end.",
  args: [],
  options: [
    {
      name: "host",
      value: "host",
      summary: `Address to listen on (default: ${HOST_DEFAULT}); others than loopback want TASKONAUT_API_TOKEN`,
    },
    { name: "port", value: "port", summary: `Port to listen on (default: ${PORT_DEFAULT}; 0: any that is free)` },
    { name: "reload", summary: "Restart when a source or a flow file changes" },
    { name: "insecure", summary: "Serve others than loopback without a token" },
    CONCURRENCY_OPTION,
    { name: "no-worker", summary: "Serve only; others (`work`) take the tasks of the queue" },
  ],
  takesFields: false,
  needs: "database",
  ignores: ["format"],
  logLevel: "info",
  examples: [
    "run-app",
    "run-app --port 9000 --logster --reload",
    "# serve only; `taskonaut work` takes the tasks of the queue",
    "run-app --no-worker",
  ],

  async run(call) {
    const { flags, wiring } = call;
    const options: ServerOptions = {
      host: flags.get("host") ?? HOST_DEFAULT,
      port: readCount(flags, "port", { min: 0, max: 65_535 }) ?? PORT_DEFAULT,
      insecure: flags.has("insecure"),
      worker: readWorker(call),
    };
    const leave = new AbortController();
    const onLeave = (): void => {
      leave.abort();
    };
    const stopListening = [call.interrupts.onFirst(onLeave), call.io.onDismissal(onLeave)];
    try {
      await (flags.has("reload") ? wiring.superviseServer(options, leave.signal) : serve(call, options, leave.signal));
      return 0;
    } finally {
      for (const stop of stopListening) stop();
    }
  },
};

function readWorker(call: Call): ServerOptions["worker"] {
  if (!call.flags.has("no-worker")) return { concurrency: readConcurrency(call) };
  if (call.flags.has(CONCURRENCY_OPTION.name)) {
    throw usageError([{ path: `--${CONCURRENCY_OPTION.name}`, message: "contradicts --no-worker" }]);
  }
  return undefined;
}

/** Serves until the signal aborts, then lets what runs end. */
async function serve(call: Call, options: ServerOptions, signal: AbortSignal): Promise<void> {
  const server = await call.wiring.startServer(options);
  const { log } = call.wiring;
  if (!(await showBanner(call, server))) {
    log.info?.(`Listening on ${server.url}`, { url: server.url });
    if (server.worker) logWorkerStarted(log, server.worker);
  }
  await whenAborted(signal);
  log.info?.("Stopping: the server takes no more requests and tasks, and lets those under way end");
  await server.stop();
}

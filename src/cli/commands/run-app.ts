import type { Command } from "../command.ts";
import { readCount } from "../usage.ts";
import type { ServerOptions, Wiring } from "../wiring.ts";

const HOST_DEFAULT = "127.0.0.1";
const PORT_DEFAULT = 8000;

export const runApp: Command = {
  name: "run-app",
  summary: "Serve the HTTP API",
  args: [],
  options: [
    {
      name: "host",
      value: "host",
      summary: `Address to listen on (default: ${HOST_DEFAULT}); others than loopback want TASKONAUT_API_TOKEN`,
    },
    { name: "port", value: "port", summary: `Port to listen on (default: ${PORT_DEFAULT}; 0: any that is free)` },
    { name: "reload", summary: "Start anew when a source or a flow file changes" },
    { name: "insecure", summary: "Serve others than loopback without a token" },
  ],
  takesFields: false,
  needs: "database",
  logLevel: "info",
  examples: [
    "run-app",
    "run-app --port 9000 --logster --reload",
    "run-app --host 0.0.0.0    with TASKONAUT_API_TOKEN set",
  ],

  async run(call) {
    const { flags, wiring } = call;
    const options: ServerOptions = {
      host: flags.get("host") ?? HOST_DEFAULT,
      port: readCount(flags, "port", { min: 0, max: 65_535 }) ?? PORT_DEFAULT,
      insecure: flags.has("insecure"),
    };
    const leave = new AbortController();
    const onLeave = (): void => {
      leave.abort();
    };
    const stopListening = [call.interrupts.onFirst(onLeave), call.io.onDismissal(onLeave)];
    try {
      await (flags.has("reload")
        ? wiring.superviseServer(options, leave.signal)
        : serve(wiring, options, leave.signal));
      return 0;
    } finally {
      for (const stop of stopListening) stop();
    }
  },
};

/** Serves until the signal aborts, then lets what runs end. */
async function serve(wiring: Wiring, options: ServerOptions, signal: AbortSignal): Promise<void> {
  const server = await wiring.startServer(options);
  const { log } = wiring;
  log.info?.(`Listening on ${server.url}`, { url: server.url });
  await whenAborted(signal);
  log.info?.("Stopping: no more requests are taken, those under way may end");
  await server.stop();
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
}

import { hasCode } from "../../core/errors.ts";
import { showBanner } from "../banner.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { openInBrowser } from "../open-in-browser.ts";
import { readCount, usageError } from "../usage.ts";
import { whenAborted } from "../when-aborted.ts";

export const ui: Command = {
  name: "ui",
  summary: "Open the dashboard in the browser",
  about:
    "It serves the dashboard on 127.0.0.1 until Ctrl-C, and takes no tasks of the queue. With --api-base-url it opens the one of that server, and ends.",
  args: [],
  options: [
    { name: "port", value: "port", summary: "Port to listen on (default: any that is free)" },
    { name: "no-open", summary: "Only print the address" },
  ],
  takesFields: false,
  needs: "tasks",
  ignores: ["format"],
  logLevel: "info",
  examples: ["ui", "ui --no-open --port 9000"],

  async run(call) {
    const port = readCount(call.flags, "port", { min: 0, max: 65_535 });
    if (call.isRemote) {
      if (port !== undefined) throw usageError([{ path: "--port", message: "means nothing with --api-base-url" }]);
      await checkServer(call);
      const base = call.flags.get("api-base-url") ?? call.env["TASKONAUT_API_URL"] ?? "";
      await show(call, base.replace(/\/+$/, ""), { isShown: false });
      return 0;
    }
    const leave = new AbortController();
    const onLeave = (): void => leave.abort();
    const stopListening = [call.interrupts.onFirst(onLeave), call.io.onDismissal(onLeave)];
    try {
      const server = await call.wiring.startServer({
        host: "127.0.0.1",
        port: port ?? 0,
        insecure: false,
        worker: undefined,
      });
      try {
        const isShown = await showBanner(call, server);
        if (!isShown) call.wiring.log.info?.(`Listening on ${server.url}`, { url: server.url });
        const left = whenAborted(leave.signal);
        // whoever reads stdout may have stopped reading
        await Promise.race([show(call, server.url, { isShown: isShown && call.io.stdout.isTTY }), left]);
        await left;
      } finally {
        await server.stop();
      }
      return 0;
    } finally {
      for (const stop of stopListening) stop();
    }
  },
};

/** Throws api_unreachable. A server that needs a token counts as reachable: its page asks for the token. */
async function checkServer(call: Call): Promise<void> {
  try {
    await withTaskonaut(call, (taskonaut) => taskonaut.checkReady());
  } catch (error) {
    if (!hasCode(error, "unauthorized") && !hasCode(error, "forbidden")) throw error;
  }
}

/** Prints the address, unless it is seen already: the browser may be on another machine. */
async function show(
  { io, env, flags, wiring }: Call,
  url: string,
  { isShown }: { readonly isShown: boolean },
): Promise<void> {
  const address = `${url}/ui`;
  if (!isShown) await io.stdout.write(`${address}\n`);
  if (flags.has("no-open")) return;
  const problem = openInBrowser(address, env);
  if (problem !== undefined) wiring.log.info?.(`No browser was opened: ${problem}`);
}

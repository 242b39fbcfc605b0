import type { Span } from "../../core/record/trace.ts";
import type { Command } from "../command.ts";
import { withTask } from "../drive.ts";
import { toJson } from "../print.ts";
import { showTrace } from "../show-trace.ts";

/** The collector did not take all of them. */
const EXIT_FAILED = 1;

export const traces: Command = {
  name: "traces",
  summary: "Show the spans of a task, or send them to a collector again",
  about:
    "The spans come from what is recorded, with the ids under which they were sent: of all that has ended. A terminal gets a tree, a pipe gets OTLP as JSON. --send sends them to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, for example where it was not there when the task ran.",
  args: [{ name: "id", required: true }],
  options: [{ name: "send", summary: "Send them to the collector" }],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "error",
  examples: ["traces @last", "traces @last --json"],

  async run(call) {
    const { io, look, flags, wiring } = call;
    return withTask(call, async (taskonaut, id) => {
      const trace = await taskonaut.readTrace(id);
      const spans = trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      if (!flags.has("send")) {
        await io.stdout.write(look.style === "readable" ? showTrace(spans, look) : `${toJson(trace, look)}\n`);
        return 0;
      }
      return send(spans);
    });

    async function send(spans: readonly Span[]): Promise<number> {
      const told = await wiring.sendSpans(spans);
      const { sent, failed, to, reason } = told;
      if (look.style !== "readable") await io.stdout.write(`${toJson(told, look)}\n`);
      else if (spans.length === 0) await io.stdout.write("Nothing of the task has ended: there is no span yet.\n");
      else if (failed === 0) await io.stdout.write(`${count(sent)} sent to ${to}.\n`);
      else {
        const rest = sent === 0 ? "" : ` ${count(sent)} sent.`;
        await io.stdout.write(`${count(failed)} not taken by ${to}: ${reason ?? "nobody knows why"}.${rest}\n`);
      }
      return failed === 0 ? 0 : EXIT_FAILED;
    }
  },
};

function count(spans: number): string {
  return spans === 1 ? "1 span was" : `${spans.toLocaleString("en")} spans were`;
}

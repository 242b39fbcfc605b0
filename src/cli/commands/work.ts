import { showBanner } from "../banner.ts";
import type { Command } from "../command.ts";
import { whenAborted } from "../when-aborted.ts";
import { CONCURRENCY_OPTION, logWorkerStarted, readConcurrency } from "../worker-options.ts";

export const work: Command = {
  name: "work",
  summary: "Take tasks from the queue and run them",
  about: "It runs until SIGINT or SIGTERM, then lets running tools end. Any number of workers may share one database.",
  args: [],
  options: [CONCURRENCY_OPTION],
  takesFields: false,
  needs: "database",
  ignores: ["format"],
  logLevel: "info",
  examples: [
    "work",
    "work --flows my-flows --concurrency 20",
    "work --database-url postgres://postgres:postgres@127.0.0.1:5433/taskrunner",
  ],

  async run(call) {
    const concurrency = readConcurrency(call);
    const { interrupts, wiring } = call;
    const { log } = wiring;
    const leave = new AbortController();
    // from the start: a signal that comes while the database is opened counts too
    const stopListening = interrupts.onFirst(() => {
      leave.abort();
    });
    try {
      const worker = await wiring.startWorker({ concurrency });
      if (!(await showBanner(call, { ...worker, url: undefined, worker }))) logWorkerStarted(log, worker);
      await whenAborted(leave.signal);
      log.info?.("Stopping: no more tasks are taken, running tools may end; once more leaves at once");
      await worker.stop();
      log.info?.("Stopped", { worker_id: worker.id });
      return 0;
    } finally {
      stopListening();
    }
  },
};

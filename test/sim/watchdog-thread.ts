import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { STUCK_MS, type Watched } from "./watchdog.ts";

const watched = workerData as Watched;
let last = -1;

setInterval(() => {
  const [seed = 0, events = 0] = watched;
  if (seed !== 0 && events === last) {
    writeSync(2, `Simulation ${seed - 1} goes round in circles within one event; SIM_SEED=${seed - 1} SIM_SEEDS=1\n`);
    process.kill(process.pid, "SIGKILL");
  }
  last = events;
}, STUCK_MS);

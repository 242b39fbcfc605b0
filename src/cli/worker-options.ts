// The options of `work` and of the worker inside `run-app`.

import type { Log } from "../core/log.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { parseCount, readCount } from "./usage.ts";
import type { WorkerFacts } from "./wiring.ts";

const CONCURRENCY_DEFAULT = 100;
const CONCURRENCY = { min: 1, max: 10_000 };
const VARIABLE = "TASKONAUT_CONCURRENCY";

export const CONCURRENCY_OPTION: Option = {
  name: "concurrency",
  value: "N",
  summary: `Tasks that are driven at once, 1 to ${CONCURRENCY.max} (${VARIABLE}; default: ${CONCURRENCY_DEFAULT})`,
};

/** Throws usage. */
export function readConcurrency({ flags, env }: Pick<Call, "flags" | "env">): number {
  const variable = env[VARIABLE];
  return (
    readCount(flags, CONCURRENCY_OPTION.name, CONCURRENCY) ??
    (variable ? parseCount(VARIABLE, variable, CONCURRENCY) : CONCURRENCY_DEFAULT)
  );
}

export function logWorkerStarted(log: Log, { id, location, flows, concurrency }: WorkerFacts): void {
  log.info?.("Worker started", { worker_id: id, store: location, flows: flows.join(", "), concurrency });
}

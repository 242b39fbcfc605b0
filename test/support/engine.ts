// Engines and records for tests.

import type { Clock } from "../../src/core/clock.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/core/limits.ts";
import { type Log, SILENT } from "../../src/core/log.ts";
import type { TaskListener } from "../../src/core/api/task-listener.ts";
import type { TellWait } from "../../src/core/waiting.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import { planTask } from "../../src/engine/doors/create.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { echoAdd } from "../../src/flows/echo-add.ts";
import type { Store } from "../../src/store/store.ts";

interface TestEngine {
  readonly flows?: readonly Flow[];
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  readonly newId?: () => string;
  readonly tellWait?: TellWait;
  readonly listener?: TaskListener;
  readonly log?: Log;
}

/** An engine over the store, which it closes when it is closed. Flows: echo_add, and those given. */
export function engineOn(
  store: Store,
  { flows = [], clock = systemClock, limits, newId, tellWait, listener, log = SILENT }: TestEngine = {},
): Engine {
  return createEngine({
    store,
    flows: [echoAdd, ...flows],
    clock,
    log,
    limits: { ...DEFAULT_LIMITS, ...limits },
    newId: newId ?? (() => Bun.randomUUIDv7()),
    workerName: `test:${process.pid}`,
    tellWait,
    listener,
  });
}

/** A task as it is when it has just been created. */
export function recordOf(flow: Flow, input: unknown = {}, now = 1000): TaskRecord {
  return planTask({ id: Bun.randomUUIDv7(), flow, input, now, limits: DEFAULT_LIMITS }).record;
}

// A backlog does not keep a process from hearing anything else: the event loop has its turns while a worker drains it.

import { describe, expect, test } from "bun:test";
import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { DATABASES } from "../support/databases.ts";
import { enqueue } from "../support/queue.ts";
import { workerBench } from "./worker-bench.ts";

const BACKLOG = 600;
const CONCURRENCY = 100;

/** On which whatever asks for the time has taken a millisecond: so turns do not depend on how fast the machine is. */
function slowClock(): Clock {
  let asked = 0;
  return { ...systemClock, now: () => systemClock.now() + ++asked };
}

describe.each(DATABASES)("a worker with a backlog on %s", (_name, create) => {
  const { bench } = workerBench(create);

  test("lets timers, sockets and signals in between, and stops within a batch", async () => {
    const engine = await bench.openEngine({ clock: slowClock() });
    await Promise.all(Array.from({ length: BACKLOG }, () => enqueue(engine, "echo_add")));
    let ended = 0;
    let endedBefore = 0;
    let most = 0;
    const halfway = Promise.withResolvers<void>();
    const look = setInterval(() => {
      most = Math.max(most, ended - endedBefore);
      endedBefore = ended;
      if (ended >= BACKLOG / 3) halfway.resolve();
    }, 1);
    const worker = await engine.startWorker({ concurrency: CONCURRENCY, onEnded: () => (ended += 1) });
    await halfway.promise;
    clearInterval(look);
    await worker.stop();
    expect(most).toBeLessThanOrEqual(2 * CONCURRENCY);
    expect(ended).toBeLessThan(BACKLOG);
  });
});

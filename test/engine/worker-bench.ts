// Workers on a database of the file's own, and flows for them.

import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { call, type Operation } from "../../src/core/flow/operation.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import type { RunningWorker } from "../../src/engine/queue/worker-tools.ts";
import { type Bench, benchOn } from "../support/bench.ts";
import type { EngineDatabase } from "../support/databases.ts";

type Body = Generator<Operation<unknown>, unknown, unknown>;

/** Each flow has a name of its own: what one test leaves in the queue is nothing to the next. */
export const flowOf = (run: (input: unknown) => Body, extra: { concurrency?: number } = {}): Flow =>
  defineFlow({
    name: `flow_${crypto.randomUUID().replaceAll("-", "")}`,
    input: v.unknown(),
    signals: { go: v.unknown() },
    ...extra,
    *run(input) {
      return yield* run(input);
    },
  });

/** Each tool once, one after the other. */
export const inTurn = (...tools: readonly Tool[]): Flow =>
  flowOf(function* () {
    const seen: unknown[] = [];
    for (const [index, tool] of tools.entries()) seen.push(yield* call(tool, index + 1, { as: `step${index + 1}` }));
    return seen;
  });

type WorkerOptions = Parameters<Bench["openEngine"]>[0] & { readonly concurrency?: number };

export interface WorkerBench {
  readonly bench: Bench;
  /** An engine with a worker that works. */
  readonly working: (options?: WorkerOptions) => Promise<{ engine: Engine; worker: RunningWorker }>;
}

/** Call it at the top of a `describe`. */
export function workerBench(createDatabase: () => Promise<EngineDatabase>): WorkerBench {
  const bench = benchOn(createDatabase);
  return {
    bench,
    async working({ concurrency = 10, ...options } = {}) {
      const engine = await bench.openEngine(options);
      return { engine, worker: await engine.startWorker({ concurrency }) };
    },
  };
}

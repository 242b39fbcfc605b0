// What tests of pauses have: tools that tell when they begin and end when they are told, and engines in a hurry.

import * as v from "valibot";
import type { Clock } from "../../src/core/clock.ts";
import type { Flow } from "../../src/core/flow/flow.ts";
import type { Tool } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";
import type { Engine } from "../../src/engine/engine-options.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { defineTool } from "../../src/sdk/taskonaut.ts";
import type { Store } from "../../src/store/store.ts";
import type { benchOn } from "./bench.ts";
import { until } from "./until.ts";

/** Time passes so much faster, for what has to wait a while to be sure. */
const HURRY = 10;

/**
 * Between two looks at the clock no more passes than this, of real time. On a busy machine, where whatever is waited for
 * takes long, so much of the engines' patience would be over at once.
 */
const STEP_MS_MAX = 50;

let lookedAt = systemClock.elapsed();
let passed = 0;

export const clock: Clock = {
  now: () => systemClock.now(),
  elapsed() {
    const now = systemClock.elapsed();
    passed += HURRY * Math.min(now - lookedAt, STEP_MS_MAX);
    lookedAt = now;
    return passed;
  },
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

/** What tools have begun, in order; and what each of them waits for before it ends. */
export class Effects {
  readonly begun: string[] = [];
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  tool(name: string, execution: Execution = "at-least-once", failures = 0): Tool {
    let left = failures;
    return defineTool({
      name,
      input: v.unknown(),
      output: v.string(),
      execution,
      retry: { attempts: execution === "at-most-once" ? 1 : 5, base: 50 },
      run: async () => {
        this.begun.push(name);
        await this.#gates.get(name)?.promise;
        if (left-- > 0) throw new Error("not yet");
        return name;
      },
    });
  }

  /** The tool of this name ends when what is given is called. */
  hold(name: string): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return () => gate.resolve();
  }
}

export interface Pausable {
  readonly open: (flows: readonly Flow[], around?: (store: Store) => Store) => Promise<Engine>;
  readonly create: (engine: Engine, start: "now" | undefined, flow?: string) => Promise<string>;
  /** Waits until the task is COMPLETED. */
  readonly ended: (engine: Engine, id: string) => Promise<boolean>;
}

export function pausableOn(bench: ReturnType<typeof benchOn>): Pausable {
  return {
    open: (flows, around = (store) => store) => bench.openEngine({ flows, clock, around }),
    create: async (engine, start, flow = "order") =>
      (await engine.createTask({ flow, input: {}, ...(start && { start }) })).task.id,
    ended: (engine, id) => until(async () => (await engine.getTask(id)).status === "COMPLETED"),
  };
}

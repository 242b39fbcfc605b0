// What is called in the place of a run's tools.

import { TaskonautError } from "../core/errors.ts";
import { suggest } from "../core/nearest.ts";
import { isObject } from "../core/flow/definition.ts";
import { toMilliseconds } from "../core/flow/duration.ts";
import type { CallTool, ToolContext } from "../core/flow/tool.ts";
import type { Log } from "../core/log.ts";
import type { Progress } from "../core/record/progress.ts";
import type { Fake, FakeContext, FakeTool, RunOptions } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export type Fakes = ReadonlyMap<string, FakeTool>;

/** Throws usage for a name that no tool has, or that has no function. */
export function readFakes(tools: RunOptions["tools"] = {}, known: ReadonlySet<string>): Fakes {
  const entries = Array.isArray(tools)
    ? (tools as readonly Fake[]).map(({ tool, run }) => [tool, run] as const)
    : Object.entries(tools);
  for (const [name, fake] of entries) {
    if (!known.has(name)) {
      const all = [...known].toSorted();
      const hint = suggest(name, all) || `; there ${all.length === 0 ? "are none" : `is ${all.join(", ")}`}.`;
      throw new TaskonautError("usage", `tools: no tool is called ${JSON.stringify(name)}${hint}`);
    }
    if (typeof fake !== "function") {
      throw new TaskonautError("usage", `tools: the fake of ${name} must be a function: ${name}: (input) => ({ … }).`);
    }
  }
  return new Map(entries);
}

/** Calls the fake, or the tool itself, under the simulated clock. */
export function callUnder(clock: SimulatedClock, fakes: Fakes, ledger: Ledger): CallTool {
  return (tool, input, given) => {
    ledger.note(tool, input, given);
    const context = new TestContext(given, clock, (progress) => ledger.noteProgress(tool, given, progress));
    const fake = fakes.get(tool.name);
    const value = promised(fake ? fake(input, context) : tool.run(input, context));
    context.runUntil(value);
    return value;
  };
}

/** A promise of another kind (a query builder) does nothing before its `then` is called, and does it again each time. */
function promised(value: unknown): unknown {
  return isObject(value) && typeof value["then"] === "function" ? Promise.resolve(value) : value;
}

class TestContext implements FakeContext {
  readonly taskId: string;
  readonly stepId: string;
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly log: Log;
  readonly progress: ToolContext["progress"];
  readonly #given: ToolContext;
  readonly #clock: SimulatedClock;
  #end: (() => void) | undefined;
  #sleeping = 0;
  /** The tool has given a promise that is not settled. */
  #isOpen = false;

  constructor(given: ToolContext, clock: SimulatedClock, note: (progress: Progress) => void) {
    this.#given = given;
    this.#clock = clock;
    this.taskId = given.taskId;
    this.stepId = given.stepId;
    this.idempotencyKey = given.idempotencyKey;
    this.attempt = given.attempt;
    this.log = given.log;
    this.progress = (progress) => {
      note(progress);
      given.progress(progress);
    };
  }

  get signal(): AbortSignal {
    return this.#given.signal;
  }

  get traceparent(): string {
    return this.#given.traceparent;
  }

  // a property: a fake takes it out of its context
  readonly sleep: FakeContext["sleep"] = async (duration) => {
    this.#sleeping += 1;
    this.#pause();
    try {
      await this.#clock.sleep(toMilliseconds(duration), this.signal);
    } finally {
      this.#sleeping -= 1;
      this.#goOn();
    }
  };

  /** Real time, until what the tool gave is settled. */
  runUntil(value: unknown): void {
    if (!(value instanceof Promise)) return;
    this.#isOpen = true;
    this.#goOn();
    const end = (): void => {
      this.#isOpen = false;
      this.#pause();
    };
    value.then(end, end);
  }

  #goOn(): void {
    if (this.#isOpen && this.#sleeping === 0) this.#end ??= this.#clock.begin();
  }

  #pause(): void {
    this.#end?.();
    this.#end = undefined;
  }
}

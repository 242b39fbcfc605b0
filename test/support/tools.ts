// Tools whose course a test decides.

import * as v from "valibot";
import { NonRetryableError, defineTool, type Tool, type ToolContext } from "../../src/core/flow/tool.ts";
import type { Execution } from "../../src/core/record/record.ts";

interface Shape {
  readonly execution?: Execution;
  readonly timeout?: number;
}

/** Gives back its input. */
export function giveBack(name: string, shape: Shape = {}): Tool {
  return defineTool({ name, input: v.unknown(), output: v.unknown(), ...shape, run: (input) => input });
}

/** Fails `failures` times, then gives its input; waits no time between attempts. */
export function flaky(name: string, failures: number, shape: Shape = {}): Tool {
  return defineTool({
    name,
    input: v.unknown(),
    output: v.unknown(),
    retry: { base: 0 },
    ...shape,
    run(input, { attempt }) {
      if (attempt <= failures) throw new Error(`${name} failed at attempt ${attempt}`);
      return input;
    },
  });
}

/** A tool each call of which ends when, and as, the test says. */
export class Gate {
  readonly tool: Tool;
  /** Every call so far, in order. */
  readonly calls: ToolContext[] = [];
  readonly #ends: PromiseWithResolvers<unknown>[] = [];
  #onCall: (() => void)[] = [];

  constructor(name: string, shape: Shape = {}) {
    this.tool = defineTool({
      name,
      input: v.unknown(),
      output: v.unknown(),
      ...shape,
      run: (_, context) => {
        const end = Promise.withResolvers<unknown>();
        this.calls.push(context);
        this.#ends.push(end);
        for (const tell of this.#onCall.splice(0)) tell();
        return end.promise;
      },
    });
  }

  /** Resolves when the tool has been called `times` times in all. */
  async called(times = 1): Promise<void> {
    while (this.calls.length < times) await new Promise<void>((resolve) => this.#onCall.push(resolve));
  }

  /** Ends the call of this number, from 0. */
  end(call: number, output: unknown): void {
    this.#ends[call]?.resolve(output);
  }

  fail(call: number, message: string): void {
    this.#ends[call]?.reject(new NonRetryableError(message));
  }
}

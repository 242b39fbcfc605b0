// Tools whose effects can be counted: each call of one writes a line to a file, at once and before anything else. What
// a tool gives depends on its input alone, so a flow gives the same however often a process was killed on the way.

import { appendFileSync } from "node:fs";
import { defineTool, NonRetryableError, type ToolContext } from "taskonaut";
import * as v from "valibot";

/** A line of the file of effects; the file is named by EFFECTS. */
export interface Effect {
  readonly key: string;
  readonly tool: string;
  readonly execution: "pure" | "at-least-once" | "at-most-once";
  readonly attempt: number;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const TAKES_MS_MIN = 5;
const TAKES_MS_MAX = 80;

const contract = { input: v.string(), output: v.string() };

/** One write(2) of a file that was opened to append: no two processes mix their lines, and none is torn by a SIGKILL. */
export function act(tool: string, execution: Effect["execution"], { idempotencyKey, attempt }: ToolContext): void {
  const effect: Effect = { key: idempotencyKey, tool, execution, attempt, pid: process.pid, at: Date.now() };
  appendFileSync(process.env["EFFECTS"] ?? "", `${JSON.stringify(effect)}\n`);
}

function takeTime(): Promise<void> {
  return Bun.sleep(TAKES_MS_MIN + Math.random() * (TAKES_MS_MAX - TAKES_MS_MIN));
}

export const note = defineTool({
  name: "note",
  ...contract,
  execution: "pure",
  run(value, context) {
    act("note", "pure", context);
    return `noted ${value}`;
  },
});

export const work = defineTool({
  name: "work",
  ...contract,
  async run(value, context) {
    act("work", "at-least-once", context);
    await takeTime();
    return `worked ${value}`;
  },
});

/** Where it is in doubt, a person is asked: `reckoning.ts` knows what it gives. */
export const pay = defineTool({
  name: "pay",
  ...contract,
  execution: "at-most-once",
  async run(value, context) {
    act("pay", "at-most-once", context);
    await takeTime();
    return `paid ${value}`;
  },
});

/** Succeeds when it is tried for the third time; the waits between are short. */
export const shaky = defineTool({
  name: "shaky",
  ...contract,
  retry: { attempts: 3, base: "20ms" },
  async run(value, context) {
    act("shaky", "at-least-once", context);
    await takeTime();
    if (context.attempt < 3) throw new Error("not yet");
    return `managed ${value}`;
  },
});

/** Succeeds when it is tried again, after a wait for which its task is released. */
export const patient = defineTool({
  name: "patient",
  ...contract,
  retry: { attempts: 2, base: "3s", max: "3s" },
  run(value, context) {
    act("patient", "at-least-once", context);
    if (context.attempt < 2) throw new Error("not yet");
    return `waited for ${value}`;
  },
});

export const refuse = defineTool({
  name: "refuse",
  ...contract,
  async run(value, context) {
    act("refuse", "at-least-once", context);
    await takeTime();
    throw new NonRetryableError(`refused ${value}`);
  },
});

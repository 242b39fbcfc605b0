// What was seen of a run's tools and flows, in order.

import type { Tool, ToolContext } from "../core/flow/tool.ts";
import type { Log, LogMethod } from "../core/log.ts";
import { readProgress } from "../core/flow/progress.ts";
import { parseJson } from "../core/record/json.ts";
import type { Progress } from "../core/record/progress.ts";
import type { Effect, LogLine, ToldProgress } from "./api.ts";

export class Ledger {
  readonly effects: Effect[] = [];
  readonly logs: LogLine[] = [];
  readonly progress: ToldProgress[] = [];

  readonly log: Log = {
    error: this.#write("error"),
    warn: this.#write("warn"),
    info: this.#write("info"),
    debug: this.#write("debug"),
  };

  note({ name: tool }: Tool, input: unknown, { idempotencyKey: key, attempt }: ToolContext): void {
    this.effects.push({ tool, input: copyOf(input), key, attempt });
  }

  /** What is no progress is in the logs instead. */
  noteProgress({ name: tool }: Tool, { idempotencyKey: key, attempt }: ToolContext, progress: Progress): void {
    const read = readProgress(progress);
    if (read.ok) this.progress.push({ tool, key, attempt, ...(parseJson(read.text) as Progress) });
  }

  #write(level: LogLine["level"]): LogMethod {
    return (message, fields = {}) => this.logs.push({ level, message, fields });
  }
}

/** A tool may change its input later. */
function copyOf(input: unknown): unknown {
  try {
    return structuredClone(input);
  } catch {
    return input; // what a contract has made of it need not be data
  }
}

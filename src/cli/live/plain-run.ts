// A running task line by line: what has become of each step since the last look.

import type { Call } from "../command.ts";
import { showText } from "../cells.ts";
import { describeWaitShortly } from "../standing.ts";
import { describeMs } from "../times.ts";
import { entriesOf } from "./choose-steps.ts";
import { describeAttempt, tellRetry } from "./draw-run.ts";
import type { RunModel, StepView } from "./run-model.ts";
import type { Surface } from "./run-view.ts";

export class PlainRun implements Surface {
  readonly #told = new Map<StepView, string>();
  #hasBegun = false;

  constructor(
    private readonly model: RunModel,
    private readonly call: Pick<Call, "io" | "look">,
  ) {}

  draw(id: string): void {
    const { io, look } = this.call;
    const lines: string[] = [];
    if (!this.#hasBegun) lines.push(this.#head(id));
    this.#hasBegun = true;
    for (const { step, depth } of entriesOf(this.model, id)) {
      const key = `${step.state} ${step.attempt} ${step.wait?.kind}`;
      if (step.state === "planned" || this.#told.get(step) === key) continue;
      this.#told.set(step, key);
      const indent = "  ".repeat(depth);
      lines.push(showText(`${indent}${step.index} ${step.name}  ${tell(step, io.time())}`, look.columns));
    }
    if (lines.length > 0) io.stderr.write(`${lines.join("\n")}\n`).catch(() => {}); // nobody reads it any more
  }

  #head(id: string): string {
    const flow = this.model.task(id)?.flow ?? "";
    return showText(flow === "" ? `Task ${id}` : `Task ${id} of flow ${flow}`, this.call.look.columns);
  }

  async close(): Promise<void> {}
}

function tell(step: StepView, now: number): string {
  const { state, name, tookMs, wait, error } = step;
  const took = tookMs === undefined ? "" : `  ${describeMs(tookMs)}`;
  switch (state) {
    case "planned":
      return "PLANNED";
    case "running":
      return step.attempt > 1 ? `RUNNING ${describeAttempt(step)}` : "RUNNING";
    case "retrying":
      return tellRetry(step, now);
    case "waiting":
      return wait ? `WAITING ${describeWaitShortly(wait, now, name)}` : "WAITING";
    case "doubt":
      return "IN DOUBT";
    case "completed":
      return `COMPLETED${took}`;
    case "failed":
      return `FAILED${took}${error === undefined ? "" : `  ${error}`}`;
    case "cancelled":
      return "CANCELLED";
  }
}

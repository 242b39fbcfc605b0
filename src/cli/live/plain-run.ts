// A running task line by line: what has become of each step since the last look.

import type { Call } from "../command.ts";
import { showText } from "../cells.ts";
import { describeWaitShortly } from "../../core/api/standing.ts";
import { showName } from "../standing.ts";
import { describeMs } from "../times.ts";
import { entriesOf } from "./choose-steps.ts";
import { describeAttempt, tellRetry } from "./draw-run.ts";
import type { StepView } from "./step-view.ts";
import type { RunModel } from "./run-model.ts";
import type { Surface } from "./surface.ts";

export class PlainRun implements Surface {
  readonly isInPlace = false;
  /** What was told of each step last. */
  readonly #told = new Map<string, string>();
  #id: string | undefined;

  constructor(
    private readonly model: RunModel,
    private readonly call: Pick<Call, "io" | "look">,
  ) {}

  draw(id: string): void {
    const { io, look } = this.call;
    const flow = this.model.task(id)?.flow;
    if (flow === undefined) return; // nothing is known yet
    const lines: string[] = [];
    if (this.#id === undefined)
      lines.push(showText(flow === "" ? `Task ${id}` : `Task ${id} of flow ${flow}`, look.columns));
    this.#id = id;
    for (const { step, taskId, depth } of entriesOf(this.model, id)) {
      const place = `${taskId} ${step.index}`;
      const what = describe(step);
      if (step.state === "planned" || this.#told.get(place) === what) continue;
      this.#told.set(place, what);
      const indent = "  ".repeat(depth);
      lines.push(showText(`${indent}${step.index} ${step.name}  ${tell(step, io.time())}`, look.columns));
    }
    if (lines.length > 0) io.stderr.write(`${lines.join("\n")}\n`).catch(() => {}); // nobody reads it any more
  }

  /** What was begun to be told is told to its end. */
  async close(): Promise<void> {
    if (this.#id !== undefined && this.#told.size > 0) this.draw(this.#id);
  }
}

/** The same for as long as there is nothing new to tell. */
function describe({ state, attempt, wait }: StepView): string {
  switch (state) {
    case "running":
    case "retrying":
      return `${state} ${attempt}`;
    case "waiting":
      return `${state} ${wait?.kind} ${wait?.name}`;
    default:
      return state;
  }
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
      return wait ? `WAITING ${describeWaitShortly(wait, now, { stepName: name, show: showName })}` : "WAITING";
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

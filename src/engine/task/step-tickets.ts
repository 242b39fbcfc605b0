// The tickets of one task's steps whose tools have limits: taken before a step starts, and returned when its outcome is
// durable and its tool has ended here.

import type { ToolLimits } from "../../core/flow/tool.ts";
import { keyOf } from "../../core/flow/own-limits.ts";
import { during } from "../../core/flow/activity.ts";
import { FlowStuckError, within } from "../../core/flow/flow-bound.ts";
import { obstacleIn } from "../../core/flow/obstacle.ts";
import { parseJson } from "../../core/record/json.ts";
import type { StepRow } from "../../core/record/record.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { isA, storeError } from "../../core/record/stored-error.ts";
import type { GivenBack } from "../../store/limit-store.ts";
import type { Change } from "../../store/store.ts";
import type { DriverTools } from "./driver-tools.ts";
import type { TaskState } from "./task-state.ts";
import { isWait } from "./wait-events.ts";

/**
 * How long a step waits in line before it asks again. This is a safety net, because a granted ticket wakes the task. A
 * task that is driven by hand may have nobody else to wake it.
 */
const ASK_AGAIN_MS = { claimed: 600_000, byHand: 60_000 };

export class StepTickets {
  /** By step. */
  readonly #held = new Map<string, GivenBack>();
  /** Ids of steps that no longer need their ticket, but whose tools still run here. */
  readonly #ending = new Set<string>();

  constructor(
    private readonly state: TaskState,
    private readonly tools: Pick<DriverTools, "limitDesk" | "storeClock">,
    /** From now on, report what is durable. */
    private readonly listen: () => void,
  ) {
    // steps that began elsewhere may have left tickets
    if (state.someOpen((step) => step.kind === "tool" && (step.limited_by !== null || step.status === "RUNNING")))
      listen();
  }

  /** Whether one of these steps needs a ticket before it can start. */
  lacks(steps: readonly StepRow[]): boolean {
    return steps.some((step) => this.#lacks(step));
  }

  /** Steps that get no ticket wait. Throws what the store throws. */
  async take(steps: readonly StepRow[]): Promise<void> {
    this.listen();
    await Promise.all(steps.filter((step) => this.#lacks(step)).map((step) => this.#take(step)));
  }

  async #take(step: StepRow): Promise<void> {
    const { state, tools } = this;
    const limits = this.#limitsOf(step);
    if (!limits) return;
    const key = this.#keyOf(step, limits);
    if (key === undefined) return;
    const ticket = await tools.limitDesk.take(limits, { taskId: step.task_id, stepId: step.id, key });
    if (ticket) this.#held.set(step.id, ticket);
    if (!state.isOpen(step.id)) return this.#giveBack(step);
    if (ticket) return;
    const ms = state.isClaimed ? ASK_AGAIN_MS.claimed : ASK_AGAIN_MS.byHand;
    state.steps.waitForTicket(step, limits.name, (await tools.storeClock.recent()) + ms);
  }

  /** Undefined: there is no ticket, and the step has failed because of that. */
  #keyOf(step: StepRow, limits: ToolLimits): string | undefined {
    const { state } = this;
    try {
      const input = parseJson(step.input_payload);
      const compute = (): string | null => within(state.flow, () => keyOf(`Tool ${step.target}`, limits, input));
      return during("flow", { taskId: step.task_id, stepId: step.id }, compute) ?? "";
    } catch (error) {
      const obstacle = isA(error, FlowStuckError) ? error.message : obstacleIn(error);
      if (obstacle !== undefined) {
        state.park(`Step ${step.step_index} (${step.step_name}): limits.key: ${obstacle}`, { forAll: true });
        return undefined;
      }
      state.steps.recordOutcome(step, {
        status: "FAILED",
        error: storeError(error, state.decisions.of(step.id)?.tool?.at),
      });
      return undefined;
    }
  }

  /** Reports what is durable from now on. */
  onDurable({ newSteps, changedSteps }: Change): void {
    for (const steps of [newSteps, changedSteps]) {
      for (const step of steps) {
        if (step.kind !== "tool" || (isStepOpen(step.status) && (!isWait(step) || step.limited_by !== null))) continue;
        if (this.state.running.isThere(step.id)) this.#ending.add(step.id);
        else this.#giveBack(step);
      }
    }
  }

  /** A pause holds these steps back, and none of them runs here: others may have their tickets meanwhile. */
  letGo(steps: readonly StepRow[]): void {
    for (const step of steps) if (this.#held.has(step.id)) this.#giveBack(step);
  }

  /** The driver has given up: each ticket goes back once its tool has ended here, unless somebody has asked anew. */
  abandon(): void {
    for (const id of Array.from(this.#held.keys())) {
      if (this.state.running.isThere(id)) this.#ending.add(id);
      else this.#giveBack(this.state.step(id));
    }
  }

  /** The step's tool has ended here. */
  onEnded(step: StepRow): void {
    if (this.#ending.delete(step.id)) this.#giveBack(step);
  }

  #giveBack(step: StepRow): void {
    const limits = this.#limitsOf(step);
    if (!limits) return;
    const ticket = this.#held.get(step.id);
    this.#held.delete(step.id);
    if (ticket) this.tools.limitDesk.giveBack(limits, ticket);
    else this.tools.limitDesk.noteLeft();
  }

  #lacks(step: StepRow): boolean {
    return this.#limitsOf(step) !== undefined && !this.#held.has(step.id);
  }

  #limitsOf({ id, kind }: StepRow): ToolLimits | undefined {
    return kind === "tool" ? this.state.decisions.of(id)?.tool?.limits : undefined;
  }
}

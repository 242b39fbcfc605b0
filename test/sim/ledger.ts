// The world outside: what the tools did to it. An effect cannot be taken back, whatever becomes of the process that
// called for it, so what may never happen is looked at here, in the moment in which it happens.

import type { ToolContext } from "../../src/core/flow/tool.ts";
import type { StepRow, ToolCallRow } from "../../src/core/record/record.ts";
import { holdsBack } from "../../src/engine/process/known-pauses.ts";
import type { Change, PauseScope } from "../../src/store/store.ts";
import type { Decided } from "./decided.ts";
import { GUARANTEES, type SimToolName, type SimWork } from "./sim-flows.ts";
import type { SimDatabase, StoredTask } from "./sim-database.ts";
import type { Trace } from "./trace.ts";

/** An undo, and what it undoes: the one never begins while the other still runs in the process. */
const UNDOES: Readonly<Record<string, string>> = { release: "reserve", undo: "try" };

/** Why tools are aborted that are waited for all the same. */
const WAITED_FOR = ["The task was cancelled.", "Nobody waits for this step any more."];

export class Ledger {
  /** By process, task and value: how many calls of tools run. */
  readonly #running = new Map<string, number>();
  /** Idempotency keys of effects that happened. */
  readonly effects = new Set<string>();
  /** Steps of forks that came with their outcomes, from the task that was forked. */
  readonly inherited = new Set<string>();
  readonly #onceEffects = new Set<string>();
  readonly #receipts = new Set<string>();
  /** Ids of pauses of which somebody was told that they hold. */
  readonly #pauses = new Set<string>();
  /** By process and key: the epoch of the call that the process has made durable as RUNNING. */
  readonly #intents = new Map<string, number>();

  constructor(
    private readonly database: SimDatabase,
    private readonly decided: Decided,
    private readonly trace: Trace,
  ) {}

  /** What is durable from now on. */
  noteChange(writer: string, { newSteps, changedSteps, newCalls, changedCalls }: Change): void {
    for (const step of [...newSteps, ...changedSteps]) this.#noteOutput(step);
    for (const call of [...newCalls, ...changedCalls]) this.#noteIntent(writer, call);
  }

  /** The same of a task that is new: it may have come to an end in its first write, or share what another one has done. */
  noteInserted(writer: string, { task, steps, calls }: StoredTask): void {
    for (const step of steps.values()) {
      this.#noteOutput(step);
      if (task.origin !== null && step.outcome_seq !== null) this.inherited.add(step.id);
    }
    for (const call of calls.values()) this.#noteIntent(writer, call);
  }

  /** Whoever has paused this was told that nothing of it starts any more, which is so until somebody ends the pause. */
  notePaused(scope: PauseScope, name: string): void {
    for (const pause of this.database.pauses)
      if (pause.scope === scope && pause.name === name) this.#pauses.add(pause.id);
  }

  noteEffect(process: string, tool: SimToolName, work: SimWork, context: ToolContext): void {
    const { taskId, stepId, idempotencyKey: key } = context;
    const where = `${process} calls ${tool} for step ${stepId} of task ${taskId}`;
    const flow = this.database.find(taskId)?.task.flow_name ?? "";
    const pause = this.database.pauses.find((row) => this.#pauses.has(row.id) && holdsBack(row, flow, tool));
    if (pause) this.trace.breach(`${where} of flow ${flow}, although ${pause.scope} ${pause.name} is paused.`);
    if (tool === "note") return;
    this.effects.add(key);
    for (const receipt of work.after) {
      if (!this.#receipts.has(receipt))
        this.trace.breach(`${where}, which builds upon an outcome that is not durable.`);
    }
    const undone = UNDOES[work.value];
    if (undone !== undefined && this.#running.has(`${process} ${taskId} ${undone}`)) {
      this.trace.breach(`${where} (${work.value}) beside what it undoes.`);
    }
    const effect = { stepId, input: JSON.stringify(work), execution: GUARANTEES[tool] };
    const lack = this.decided.lack(this.database.findEver(taskId), effect);
    if (lack !== undefined) this.trace.breach(`${where}, ${lack}.`);
    if (tool === "once") this.#noteOnce(process, key, where);
  }

  /** Until what is given back is called, the call runs. One that is aborted because its driver is gone is not waited for. */
  noteRunning(process: string, { value }: SimWork, context: ToolContext): () => void {
    const key = `${process} ${context.taskId} ${value}`;
    const count = (by: number): void => {
      const running = (this.#running.get(key) ?? 0) + by;
      if (running > 0) this.#running.set(key, running);
      else this.#running.delete(key);
    };
    let isCounted = true;
    const end = (): void => {
      if (isCounted) count(-1);
      isCounted = false;
    };
    count(1);
    context.signal.addEventListener("abort", () => {
      const reason = String(context.signal.reason);
      if (!WAITED_FOR.some((known) => reason.includes(known))) end();
    });
    return end;
  }

  #noteIntent(writer: string, { status, idempotency_key: key, attempt_epoch: epoch }: ToolCallRow): void {
    if (status === "RUNNING") this.#intents.set(`${writer} ${key}`, epoch);
  }

  #noteOnce(process: string, key: string, where: string): void {
    const epoch = this.#intents.get(`${process} ${key}`);
    if (epoch === undefined) this.trace.breach(`${where}, and has not recorded that it is about to.`);
    const effect = `${key} ${epoch}`;
    if (this.#onceEffects.has(effect)) this.trace.breach(`${where}, again in epoch ${epoch}.`);
    this.#onceEffects.add(effect);
  }

  #noteOutput({ output_payload: output }: StepRow): void {
    for (const [receipt] of output?.matchAll(/receipt-\d+/g) ?? []) this.#receipts.add(receipt);
  }
}

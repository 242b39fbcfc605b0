// How often a task was taken from somebody else while a step of it was open, and how often a process was killed for it. No
// tool here kills its process, but flows do, and processes die around them: a step that is said to have died so many times
// was open each of as many times in a row, and of a flow that is, as many processes were killed for that task in a row.

import { isStepOpen } from "../../src/core/record/status.ts";
import { isWait } from "../../src/engine/task/wait-events.ts";
import type { StoredTask } from "./sim-database.ts";
import type { Writer } from "./sim-store.ts";

const DEADLY_FLOW = /ran the code of flow .* died (\d+) times in a row/;

const DEADLY = /ran step (\d+) \(.*\) died (\d+) times in a row/;

interface Write {
  readonly before: StoredTask | undefined;
  readonly after: StoredTask;
  readonly writer: Writer | undefined;
}

export class Deaths {
  /** By step. */
  readonly #counts = new Map<string, number>();

  /** Tasks that were taken over while no step was recorded that may have run: the next one is a suspect (`suspects.ts`). */
  readonly #unknown = new Set<string>();

  /** By task. */
  readonly #killed = new Map<string, number>();

  /** A process is killed for this task, which is about to be put down. */
  noteKilled(taskId: string): void {
    this.#killed.set(taskId, (this.#killed.get(taskId) ?? 0) + 1);
  }

  /** What is wrong with a write, as a sentence. */
  breachOf(write: Write): string | undefined {
    const breach = this.#undue(write);
    this.#count(write);
    return breach;
  }

  #count({ before, after, writer }: Write): void {
    const { task } = after;
    if (before?.task.status !== task.status || before.task.observed_count !== task.observed_count)
      this.#killed.delete(task.id);
    const owner = before?.task.lease_owner ?? null;
    const isLetGo = owner !== null && owner !== after.task.lease_owner;
    const isByItself = owner !== null && writer?.workerIds.has(owner) === true;
    const open = [...after.steps.values()].filter(({ status, due_at }) => isStepOpen(status) && due_at === null);
    const isUnknown = this.#unknown.has(task.id) && !isLetGo;
    for (const { id } of after.steps.values()) {
      if (!open.some((step) => step.id === id) || (isLetGo && isByItself)) this.#counts.delete(id);
      else if (isLetGo) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
      else if (isUnknown && !before?.steps.has(id)) this.#counts.set(id, 1);
    }
    const isSuspectKnown = open.some((step) => !isWait(step));
    if (isLetGo && !isByItself && !isSuspectKnown) this.#unknown.add(task.id);
    else if (isLetGo || isSuspectKnown) this.#unknown.delete(task.id);
  }

  #undue({ before, after: { task, steps }, writer }: Write): string | undefined {
    if (task.parked_reason === null || task.parked_reason === before?.task.parked_reason) return undefined;
    const [, kills] = DEADLY_FLOW.exec(task.parked_reason) ?? [];
    const killed = this.#killed.get(task.id) ?? 0;
    if (kills !== undefined && killed < Number(kills))
      return `Task ${task.id} is parked for deaths of its flow, for which ${killed} processes in a row were killed.`;
    const [, index, times] = DEADLY.exec(task.parked_reason) ?? [];
    if (index === undefined) return undefined;
    const step = [...steps.values()].find(({ step_index }) => step_index === Number(index));
    // who takes it over by hand parks it with that very write
    const owner = before?.task.lease_owner ?? null;
    const isTakenOver = owner !== null && writer?.workerIds.has(owner) !== true;
    const count = (this.#counts.get(step?.id ?? "") ?? 0) + (isTakenOver ? 1 : 0);
    if (count >= Number(times)) return undefined;
    return `Task ${task.id} is parked for deaths of step ${index}, around which it was taken over ${count} times in a row.`;
  }
}

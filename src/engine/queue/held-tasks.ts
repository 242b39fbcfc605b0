// The tasks that a worker holds: each is driven from its claim until its release, and takes a place meanwhile.
//
// HK1. Steps whose processes died twice in a row run one after the other: if two ran together, nobody could tell which
//     one killed the process.

import { hasCode, TaskonautError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { isStepOpen } from "../../core/record/status.ts";
import { messageOf } from "../../core/record/stored-error.ts";
import type { ClaimedTask } from "../../store/store.ts";
import type { Claimant, DrivingForWorker, WorkEnd } from "../driving/drive-for-worker.ts";
import { isWait } from "../task/wait-events.ts";
import { Quarantine } from "./quarantine.ts";

/**
 * A worker claims no more tasks while its large tasks together have this many bytes: the memory of a process is
 * limited.
 */
const LARGE_HELD_MAX = 256 * 1024 * 1024;

interface Holder {
  readonly driving: Pick<DrivingForWorker, "drive" | "setAside">;
  readonly log: Log;
  /** How many tasks are driven at once. */
  readonly concurrency: number;
  /** Called with each task that has ended here. */
  readonly onEnded: ((taskId: string) => void) | undefined;
  isLeaving(): boolean;
  /** There may be room for one more. */
  onPlaceFree(): void;
  /** A task of this flow was released. If it may be due again: the time, in store time. */
  onLetGo(flow: string, dueAt: number | null): void;
  /** A task could not be continued, and is released: this process may hold more than it knows. */
  onUnsure(): void;
}

export class HeldTasks implements Claimant {
  /**
   * How many claims of each task are not released yet: a task may be claimed again before this process learns of its
   * release. Numbers, because a map keeps removed entries alive for a while.
   */
  readonly #claims = new Map<string, number>();
  /** How many of these take a place of `concurrency`: they are still being driven; the others are being written. */
  #driven = 0;
  /** The bytes of the large tasks that are held, however many tasks the process may drive. */
  readonly #largeBytes = new Map<ClaimedTask, number>();
  /** HK1. It takes one place, however many tasks it has. */
  readonly #quarantine = new Quarantine(() => {
    this.#driven += 1;
    return () => this.#freePlace();
  });
  /** The task that is driven there. */
  #quarantined: { readonly claimed: ClaimedTask; readonly leave: () => void } | undefined;
  #onNoneHeld: (() => void) | undefined;

  constructor(private readonly holder: Holder) {}

  /** How many are driven now. */
  get driven(): number {
    return this.#driven;
  }

  /**
   * How many free places there are; 0 or less: none. Tasks that are only being written take no place, unless too many
   * of them pile up.
   */
  get room(): number {
    const { concurrency } = this.holder;
    if (this.#largeBytes.size > 0 && sumOf(this.#largeBytes.values()) >= LARGE_HELD_MAX) return 0;
    return Math.min(concurrency - this.#driven, 2 * concurrency - this.#claims.size);
  }

  ids(): readonly string[] {
    return [...this.#claims.keys()];
  }

  take(claimed: ClaimedTask): void {
    const { driving, log } = this.holder;
    const { id, flow_name } = claimed.record.task;
    this.#claims.set(id, (this.#claims.get(id) ?? 0) + 1);
    if (claimed.isBare) this.#largeBytes.set(claimed, claimed.record.task.recorded_bytes);
    if (claimed.takenFrom !== null) {
      log.warn?.("task taken over from a dead worker", { task_id: id, flow: flow_name, from: claimed.takenFrom });
    }
    if (isDeadly(claimed)) this.#driveInQuarantine(claimed);
    else if (!driving.drive(claimed, this)) this.#driven += 1;
  }

  /** Resolves when nothing is held any more. */
  allLetGo(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#claims.size === 0) resolve();
    else this.#onNoneHeld = resolve;
    return promise;
  }

  /** HK1. */
  #driveInQuarantine(claimed: ClaimedTask): void {
    const ended = this.#quarantine.run(() => {
      const { promise, resolve: leave } = Promise.withResolvers<void>();
      this.#quarantined = { claimed, leave };
      this.holder.driving.drive(claimed, this);
      return promise;
    });
    ended.catch(() => {}); // it never rejects
  }

  // ---- the results of a driven task

  isLeaving(): boolean {
    return this.holder.isLeaving();
  }

  onIdle(claimed: ClaimedTask): void {
    if (claimed !== this.#quarantined?.claimed) this.#freePlace(); // tasks in quarantine share one place
  }

  onEnd(claimed: ClaimedTask, { isEnded, dueAt }: WorkEnd): void {
    if (isEnded) this.#tellOfEnd(claimed.record.task.id);
    this.#letGo(claimed, dueAt);
  }

  onFailed(claimed: ClaimedTask, error: unknown): void {
    const letGo = (): void => this.#letGo(claimed, null);
    this.#setAside(claimed, error).then(letGo, letGo);
  }

  #letGo(claimed: ClaimedTask, dueAt: number | null): void {
    const { id, flow_name } = claimed.record.task;
    const claims = this.#claims.get(id) ?? 0;
    if (claims > 1) this.#claims.set(id, claims - 1);
    else this.#claims.delete(id);
    if (this.#quarantined?.claimed === claimed) this.#quarantined.leave();
    this.#largeBytes.delete(claimed);
    if (this.#claims.size === 0) this.#onNoneHeld?.();
    this.holder.onLetGo(flow_name, dueAt);
  }

  /** This runs within the writer of all tasks: an error of a listener must not stop it. */
  #tellOfEnd(id: string): void {
    const { onEnded, log } = this.holder;
    try {
      onEnded?.(id);
    } catch (error) {
      log.error?.("end of a task not told", { task_id: id, error: messageOf(error) });
    }
  }

  #freePlace(): void {
    this.#driven -= 1;
    this.holder.onPlaceFree();
  }

  /** The database may be back soon; a task that fails for another reason would fail forever, again and again. */
  async #setAside({ record }: ClaimedTask, error: unknown): Promise<void> {
    const { driving, log } = this.holder;
    const { id, flow_name: flow } = record.task;
    const isOutage = error instanceof TaskonautError && error.retryable;
    const fields = { task_id: id, flow, error: messageOf(error) };
    if (hasCode(error, "shutting_down")) log.info?.("task left to others", fields);
    else (isOutage ? log.warn : log.error)?.("task not driven on", fields);
    try {
      if (!isOutage) await driving.setAside(id, messageOf(error));
    } catch {
      // it is released below, and claimed again
    }
    this.holder.onUnsure();
  }
}

/** HK1. */
function isDeadly({ record, takenFrom, isBare }: ClaimedTask): boolean {
  return (
    takenFrom !== null &&
    (isBare === true || record.steps.some((step) => step.starts > 1 && isStepOpen(step.status) && !isWait(step)))
  );
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const each of numbers) sum += each;
  return sum;
}

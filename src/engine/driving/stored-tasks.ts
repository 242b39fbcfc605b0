// Tasks in the store, for a driver that is about to take one: the record, and its holder.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import { hasCode, TaskonautError } from "../../core/errors.ts";
import { parseTaskId } from "../../core/record/ids.ts";
import type { TaskRecord, TaskRow } from "../../core/record/record.ts";
import type { TellWait } from "../../core/waiting.ts";
import type { Reading, Store } from "../../store/store.ts";
import { assertRowKept, damageOf } from "../task/damage.ts";
import type { Lease } from "../process/lease.ts";
import type { DrivenTasks } from "./driven-tasks.ts";
import { describeHolder } from "./holder.ts";
import { busy } from "./not-now.ts";

/** How often to look while another process holds the task. */
const HELD: Backoff = { minMs: 2, maxMs: 100 };

interface Tools {
  readonly store: Pick<Store, "location" | "readTask" | "readTaskRow" | "readWorkerState" | "listWorkers">;
  readonly lease: Pick<Lease, "workerId">;
  readonly driven: Pick<DrivenTasks, "assertOpen" | "isOrphan">;
  readonly clock: Clock;
  readonly tellWait?: TellWait | undefined;
}

/** How long a caller waits in silence: most holders hold a task only for a moment. */
const SILENT_MS = 200;

export class StoredTasks {
  constructor(
    private readonly tools: Tools,
    /** How long a caller waits for another process. */
    private readonly busyMs: number,
  ) {}

  /** Throws task_not_found and record_damaged. */
  async read(id: string, reading?: Reading): Promise<TaskRecord> {
    const { store } = this.tools;
    const record = (await store.readTask(id, reading)) ?? throwNotFound(id);
    assertRowKept(record.task, store.location);
    return record;
  }

  /** An unexpected failure is explained by the task's record, if that is damaged. Throws task_id_invalid. */
  async about<Result>(id: string, act: (taskId: string) => Promise<Result>): Promise<Result> {
    const taskId = parseTaskId(id);
    try {
      return await act(taskId);
    } catch (error) {
      if (error instanceof TaskonautError && error.code !== "internal") throw error;
      const { store } = this.tools;
      const found = await store.readTask(taskId).catch((cause: unknown) => cause);
      if (hasCode(found, "record_damaged")) throw found;
      const isRecord = found !== undefined && !(found instanceof Error);
      throw (isRecord && damageOf(found as TaskRecord, store.location)) || error;
    }
  }

  /** Only the task's row, however large the task is. Throws task_not_found and record_damaged. */
  async readRow(id: string): Promise<TaskRow> {
    const { store } = this.tools;
    const task = (await store.readTaskRow(id)) ?? throwNotFound(id);
    assertRowKept(task, store.location);
    return task;
  }

  /** Whether a living worker of another process holds the task. */
  async isHeldElsewhere({ task }: Pick<TaskRecord, "task">): Promise<boolean> {
    const owner = task.lease_owner;
    if (owner === null || owner === this.tools.lease.workerId) return false;
    return (await this.tools.store.readWorkerState(owner)) === "alive";
  }

  /**
   * Waits until no other living worker holds the task; `isOrphan`: a dead worker holds it, or held it. Throws
   * task_not_found, shutting_down, and task_busy after `deadline`.
   */
  async readFree(id: string, deadline: number): Promise<{ record: TaskRecord; isOrphan: boolean }> {
    const { store, lease, driven, clock, tellWait } = this.tools;
    const tellAt = clock.now() + SILENT_MS;
    let isTold = false;
    for (let waitMs = nextWait(HELD); ; waitMs = nextWait(HELD, waitMs)) {
      driven.assertOpen();
      const record = await this.read(id);
      const owner = record.task.lease_owner;
      if (owner === null || owner === lease.workerId) return { record, isOrphan: driven.isOrphan(record) };
      if ((await store.readWorkerState(owner)) === "dead") return { record, isOrphan: true };
      const now = clock.now();
      if (now > deadline) throw busy(id, this.busyMs, await this.#describeHolder(record));
      if (tellWait && !isTold && now >= tellAt) {
        isTold = true;
        tellWait(`task ${id}: ${await this.#describeHolder(record)} (at most ${this.busyMs / 1000} s)`);
      }
      await clock.sleep(waitMs);
    }
  }

  async #describeHolder(record: TaskRecord): Promise<string> {
    const workers = await this.tools.store.listWorkers();
    return describeHolder(
      record,
      workers.find(({ id }) => id === record.task.lease_owner),
    );
  }
}

function throwNotFound(id: string): never {
  throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { id } });
}

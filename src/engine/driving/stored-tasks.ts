// Tasks as the store has them, for whoever is about to drive one: its record, and who holds it.

import { type Backoff, nextWait } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import { TaskonautError } from "../../core/errors.ts";
import type { TaskRecord, TaskRow } from "../../core/record/record.ts";
import type { Reading, Store } from "../../store/store.ts";
import type { Lease } from "../process/lease.ts";
import type { DrivenTasks } from "./driven-tasks.ts";
import { busy } from "./not-now.ts";

/** While another process holds the task. */
const HELD: Backoff = { minMs: 2, maxMs: 100 };

interface Tools {
  readonly store: Pick<Store, "readTask" | "readTaskRow" | "readWorkerState">;
  readonly lease: Pick<Lease, "workerId">;
  readonly driven: Pick<DrivenTasks, "assertOpen" | "isOrphan">;
  readonly clock: Clock;
}

export class StoredTasks {
  constructor(
    private readonly tools: Tools,
    /** How long a caller waits for another process. */
    private readonly busyMs: number,
  ) {}

  /** Throws task_not_found. */
  async read(id: string, reading?: Reading): Promise<TaskRecord> {
    return (await this.tools.store.readTask(id, reading)) ?? throwNotFound(id);
  }

  /** The task's row alone, however large the task is. Throws task_not_found. */
  async readRow(id: string): Promise<TaskRow> {
    return (await this.tools.store.readTaskRow(id)) ?? throwNotFound(id);
  }

  /** Whether a living worker of another process holds the task. */
  async isHeldElsewhere({ task }: Pick<TaskRecord, "task">): Promise<boolean> {
    const owner = task.lease_owner;
    if (owner === null || owner === this.tools.lease.workerId) return false;
    return (await this.tools.store.readWorkerState(owner)) === "alive";
  }

  /**
   * Waits until no other living worker holds the task; `isOrphan`: one that is dead does, or did. Throws task_not_found,
   * shutting_down, and task_busy after `deadline`.
   */
  async readFree(id: string, deadline: number): Promise<{ record: TaskRecord; isOrphan: boolean }> {
    const { store, lease, driven, clock } = this.tools;
    for (let waitMs = nextWait(HELD); ; waitMs = nextWait(HELD, waitMs)) {
      driven.assertOpen();
      const record = await this.read(id);
      const owner = record.task.lease_owner;
      if (owner === null || owner === lease.workerId) return { record, isOrphan: driven.isOrphan(record) };
      if ((await store.readWorkerState(owner)) === "dead") return { record, isOrphan: true };
      if (clock.now() > deadline) throw busy(id, this.busyMs);
      await clock.sleep(waitMs);
    }
  }
}

function throwNotFound(id: string): never {
  throw new TaskonautError("task_not_found", `Task ${id} not found`, { details: { id } });
}

// Operations on the tasks of a FakeTaskonaut: they are shown and started, and act on nothing.

import { type Bulk, type BulkPreview, type BulkRequest, type BulkTotals, NO_TOTALS } from "../../src/core/api/bulk.ts";
import type { PurgePage, PurgeRequest } from "../../src/core/api/purge.ts";
import type { Task } from "../../src/core/api/task.ts";
import type { Json } from "../../src/core/record/json-value.ts";
import type { CreatedTask } from "../../src/core/api/create-task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";

import { plannedStep } from "./tasks.ts";

interface Fake extends Pick<Taskonaut, "createTask" | "findTasks" | "getTask"> {
  change(task: Task, patch: Partial<Task>): unknown;
}

export class FakeBulk implements Bulk {
  readonly started: (BulkRequest & { readonly token: string })[] = [];
  /** What comes of one. */
  totals: BulkTotals = NO_TOTALS;

  constructor(private readonly taskonaut: Fake) {}

  async preview({ action, force = false }: BulkRequest): Promise<BulkPreview> {
    const { tasks } = await this.taskonaut.findTasks("@last");
    return {
      action,
      force,
      tasks: tasks.length,
      more: false,
      sample: tasks,
      token: "1-00000000000000000000000000000000",
    };
  }

  async start(request: BulkRequest & { readonly token: string }): Promise<CreatedTask> {
    this.started.push(request);
    const { task } = await this.taskonaut.createTask({ flow: "echo_add", input: {} });
    const step = plannedStep({ output_payload: { ...this.totals } as unknown as Json });
    this.taskonaut.change(task, { steps: [step], status: "COMPLETED" });
    return { task: await this.taskonaut.getTask(task.id), created: true };
  }

  async purge(_request: PurgeRequest): Promise<PurgePage> {
    return { removed: [{ flow_name: "echo_add", status: "COMPLETED", tasks: 1 }], not_loaded: ["gone"], next: null };
  }
}

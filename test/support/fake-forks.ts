// Forks of the tasks of a FakeTaskonaut: each takes nothing over but where it comes from.

import type { ForkPreview, Forks, ForkTask } from "../../src/core/api/forks.ts";
import type { CreatedTask } from "../../src/core/api/create-task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import type { Task } from "../../src/core/api/task.ts";

interface Fake extends Pick<Taskonaut, "createTask" | "getTask"> {
  change(task: Task, patch: Partial<Task>): Task;
}

export class FakeForks implements Forks {
  readonly asked: ForkTask[] = [];

  constructor(private readonly taskonaut: Fake) {}

  async preview(id: string, request: ForkTask): Promise<ForkPreview> {
    this.asked.push(request);
    const task = await this.taskonaut.getTask(id);
    const effects = task.steps
      .filter(({ step_index }) => step_index >= request.from)
      .map(({ step_index, step_name }) => ({
        step_index,
        step_name,
        target: step_name,
        kind: "tool" as const,
        execution: "at-least-once" as const,
        idempotency_key: `new:${step_index}:${step_name}`,
      }));
    const forked_from = { task_id: task.id, step: request.from };
    return { id: "new", flow_name: task.flow_name, forked_from, shared_steps: request.from - 1, effects };
  }

  async create(id: string, request: ForkTask): Promise<CreatedTask> {
    this.asked.push(request);
    const { id: task_id, flow_name: flow, input_payload } = await this.taskonaut.getTask(id);
    const { from, set: _, input = input_payload, ...creation } = request;
    const made = await this.taskonaut.createTask({ flow, input, ...creation });
    return { ...made, task: this.taskonaut.change(made.task, { forked_from: { task_id, step: from } }) };
  }
}

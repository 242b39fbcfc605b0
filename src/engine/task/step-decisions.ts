// The flow's decision for each step of a task that is driven here: the tool or the flow to call, which no row holds.

import type { Decision } from "../../core/flow/program.ts";
import { type Tool, withGuarantee } from "../../core/flow/tool.ts";
import type { StepRow } from "../../core/record/record.ts";

export class StepDecisions {
  constructor(
    /** By the step's id. */
    private readonly decisionOf: Map<string, Decision>,
  ) {}

  of(stepId: string): Decision | undefined {
    return this.decisionOf.get(stepId);
  }

  add(stepId: string, decision: Decision): void {
    this.decisionOf.set(stepId, decision);
  }

  /** With the recorded guarantee: the code may have been edited since. */
  tool({ id, task_id: taskId, execution }: StepRow): Tool {
    const tool = this.of(id)?.tool;
    if (!tool) throw new Error(`Step ${id} of task ${taskId} has no tool.`);
    return execution === null ? tool : withGuarantee(tool, execution);
  }
}

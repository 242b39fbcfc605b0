// A row that a real database would refuse is a bug of whoever writes it.

import type { InboxRow, StepRow, TaskRow, ToolCallRow } from "../../src/core/record/record.ts";
import {
  ruleBrokenByCall,
  ruleBrokenByInbox,
  ruleBrokenByStep,
  ruleBrokenByTask,
} from "../../src/core/record/row-rules.ts";

export function brokenByTask(task: TaskRow): string[] {
  return broken(`task ${task.id}`, ruleBrokenByTask(task));
}

export function brokenByStep(step: StepRow): string[] {
  return broken(`step ${step.id}`, ruleBrokenByStep(step));
}

export function brokenByCall(call: ToolCallRow): string[] {
  return broken(`tool call ${call.id}`, ruleBrokenByCall(call));
}

export function brokenByInbox(row: InboxRow): string[] {
  return broken(`inbox row ${row.task_id}/${row.seq}`, ruleBrokenByInbox(row));
}

function broken(row: string, rule: string | undefined): string[] {
  return rule === undefined ? [] : [`A row that the database refuses: ${row}: ${rule}.`];
}

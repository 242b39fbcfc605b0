// The tasks of a run as their test sees them.

import { parseJson } from "../core/record/json.ts";
import { isTerminal } from "../core/record/status.ts";
import { readError } from "../core/record/stored-error.ts";
import type { JsonText, StepRow, TaskRecord } from "../core/record/record.ts";
import { toTask } from "../engine/task/to-task.ts";
import type { Store } from "../store/store.ts";
import type { RunError, RunStep, TaskRun } from "./api.ts";

export interface ReadTask {
  readonly run: TaskRun;
  /** Simulated time; null: it has not ended. */
  readonly finishedAt: number | null;
}

/** In the order of the ids. `startedAt`: when simulated time began. */
export async function readTasks(
  ids: readonly string[],
  { store, startedAt }: { readonly store: Pick<Store, "readTask">; readonly startedAt: number },
): Promise<readonly ReadTask[]> {
  const records = await Promise.all(ids.map((id) => store.readTask(id)));
  return records.flatMap((record) =>
    record ? { run: readRun(record, startedAt), finishedAt: record.task.finished_at } : [],
  );
}

function readRun(record: TaskRecord, startedAt: number): TaskRun {
  const { task, steps } = record;
  const waits = isTerminal(task.status) ? [] : toTask(record).waiting_for;
  return {
    id: task.id,
    flow: task.flow_name,
    status: task.status,
    output: valueOf(task.output_payload),
    error: errorOf(task.error),
    steps: steps.map(readStep),
    waitingFor: waits.map(({ kind, name, until }) => ({
      kind,
      name,
      until: until === null ? null : Date.parse(until) - startedAt,
    })),
  };
}

function readStep({ step_index, step_name, kind, status, input_payload, output_payload, error }: StepRow): RunStep {
  return {
    index: step_index,
    name: step_name,
    kind,
    status,
    input: parseJson(input_payload),
    output: valueOf(output_payload),
    error: errorOf(error),
  };
}

function valueOf(text: JsonText | null): unknown {
  return text === null ? undefined : parseJson(text);
}

function errorOf(text: JsonText | null): RunError | undefined {
  return text === null ? undefined : (readError(text) as unknown as RunError);
}

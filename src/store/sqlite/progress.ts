// What tools tell of their progress, beside the writes of those who drive their tasks.

import type { ProgressNote } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";

const NOTE = `
  update tool_calls set progress = $progress
  where task_id = $taskId and idempotency_key = $idempotencyKey and status = 'RUNNING'
    and exists (select 1 from tasks where id = $taskId and (lease_owner is null or lease_owner = $workerId))`;

/** See `Store.noteProgress`. */
export function noteProgress(
  connection: SqliteConnection,
  workerId: string,
  notes: readonly ProgressNote[],
): Promise<string[]> {
  return connection.write(() =>
    notes.flatMap(({ stepId, ...note }) =>
      connection.prepare(NOTE).run({ ...note, workerId }).changes === 1 ? stepId : [],
    ),
  );
}

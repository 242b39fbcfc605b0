// Writes the progress of tools, beside the writes of their tasks' drivers.

import type { ProgressNote } from "../store.ts";
import type { SqliteConnection } from "./connection.ts";
import { NOTED_COLUMNS, type NotedTask, noteEvents } from "./events.ts";

const NOTE = `
  update tool_calls set progress = $progress
  where task_id = $taskId and task_step_id = $stepId and tool_name = $tool and status = 'RUNNING'
    and exists (select 1 from tasks where id = $taskId and (lease_owner is null or lease_owner = $workerId))`;

const SELECT_NOTED = `select ${NOTED_COLUMNS} from tasks where id = $id`;

/** See `Store.noteProgress`. */
export function noteProgress(
  connection: SqliteConnection,
  workerId: string,
  notes: readonly ProgressNote[],
  now: () => number,
): Promise<string[]> {
  return connection.write(() => {
    const written = notes.filter(
      ({ taskId, stepId, tool, progress }) =>
        connection.prepare(NOTE).run({ taskId, stepId, tool, progress, workerId }).changes === 1,
    );
    const tasks = [...new Set(written.map(({ taskId }) => taskId))].flatMap(
      (id) => connection.prepare<NotedTask>(SELECT_NOTED).get({ id }) ?? [],
    );
    noteEvents(connection, "changed", tasks, now());
    return written.map(({ stepId }) => stepId);
  });
}

import type { ComponentChild } from "preact";
import { useRef } from "preact/hooks";
import { type BulkReason, type BulkTotals, countOf, totalsOf } from "../../core/api/bulk.ts";
import type { Task, TaskSummary } from "../../core/api/task.ts";
import { get } from "../api.ts";
import { useLive } from "../live.ts";
import { hrefOf } from "../router.ts";

interface Props {
  readonly task: TaskSummary;
  /** How many tasks matched at the start. NaN: not known here. */
  readonly all: number;
}

/** The progress of an operation on many tasks. */
export function BulkProgress({ task, all }: Props): ComponentChild {
  const { data } = useLive(
    `bulk ${task.id} ${task.updated_at}`,
    async (signal) => totalsOf((await get<Task>(`/tasks/${task.id}`, signal)).body),
    () => false,
  );
  const last = useRef<BulkTotals>(undefined);
  if (data) last.current = data;
  const totals = last.current;
  if (!totals) return null;
  const dealtWith = totals.done + countOf(totals.skipped) + countOf(totals.failed);
  return (
    <section class="card" aria-label="Progress">
      {all > 0 && <progress max={all} value={Math.min(all, dealtWith)} aria-label="Tasks dealt with" />}{" "}
      <strong>{totals.done.toLocaleString()}</strong> done
      {all > 0 && ` of ${all.toLocaleString()}`}
      {totals.pending > 0 && `; ${totals.pending.toLocaleString()} of them end when their flows have cleaned up`}
      <Reasons what="passed over" reasons={totals.skipped} />
      <Reasons what="failed" reasons={totals.failed} />
    </section>
  );
}

function Reasons({
  what,
  reasons,
}: {
  readonly what: string;
  readonly reasons: readonly BulkReason[];
}): ComponentChild {
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>
        {countOf(reasons).toLocaleString()} {what}
      </h3>
      <ul>
        {reasons.map(({ reason, tasks, example }) => (
          <li key={reason}>
            {tasks.toLocaleString()}: {reason}
            {example !== null && (
              <>
                {" "}
                <a href={hrefOf(`/tasks/${example}`)}>such as this one</a>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

import type { ComponentChild } from "preact";
import type { AuditEntry } from "../../core/api/audit.ts";
import { age } from "../format.ts";
import { hrefOf } from "../router.ts";

export function Entries({
  entries,
  now,
}: {
  readonly entries: readonly AuditEntry[];
  readonly now: number;
}): ComponentChild {
  return (
    <table>
      <thead>
        <tr>
          <th class="number wide">Entry</th>
          <th>When</th>
          <th>Who</th>
          <th class="wide">Way</th>
          <th>Action</th>
          <th>Target</th>
          <th>Reason</th>
          <th class="wide">Before, after</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.seq}>
            <td class="number wide">{entry.seq}</td>
            <td title={entry.at}>{age(entry.at, now)}</td>
            <td class="long">
              {entry.who} <small>{entry.role}</small>
            </td>
            <td class="wide" title={[entry.address, entry.request_id].filter(Boolean).join(", ")}>
              {entry.way}
            </td>
            <td>{entry.action}</td>
            <td class="long">
              <Target entry={entry} />
            </td>
            <td class="long">{entry.reason}</td>
            <td class="wide">
              <States entry={entry} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Target({ entry: { target } }: { readonly entry: AuditEntry }): ComponentChild {
  const { kind, id } = target;
  if (kind === "all") return "everything";
  if (kind === "log") return "the audit log";
  if (kind === "task" || (kind === "tasks" && /^[0-9a-f]{8}-/.test(id))) {
    return (
      <a class="id" href={hrefOf(`/tasks/${id}`)}>
        {id}
      </a>
    );
  }
  return `${kind} ${id}`;
}

function States({ entry: { before, after } }: { readonly entry: AuditEntry }): ComponentChild {
  if (before === null && after === null) return null;
  return (
    <details>
      <summary>Show</summary>
      <pre>{JSON.stringify({ before, after }, null, 2)}</pre>
    </details>
  );
}

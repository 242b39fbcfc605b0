// The tables of somebody who has used the program for long, written by SQL: tasks of ten flows over a month, one in eleven
// of them open.

import { DIALECTS } from "./backlog.ts";

const PIECE = 110_000;
const DAY_MS = 86_400_000;
const FLOWS = 10;

export const MONTH_MS = 30 * DAY_MS;

/** The id of task `n`, as `fillScript` makes it. */
export function idOfTask(n: number): string {
  return `${Math.floor(n / 65_536)
    .toString(16)
    .padStart(8, "0")}-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** Statements for empty, migrated tables, each a transaction. */
export function fillScript(dialect: "sqlite" | "postgres", tasks: number): readonly string[] {
  const { numbers, time, hex, text, schema } = DIALECTS[dialect];
  const at = Date.now() - MONTH_MS;
  const id = (n: string): string => text(`${hex(`${n} / 65536`, 8)} || '-0000-7000-8000-' || ${hex(n, 12)}`, "uuid");
  const step = Math.floor(MONTH_MS / tasks);
  const created = time(at, `(cast(n as bigint) * ${step})`);
  const ended = time(at, `(cast(n as bigint) * ${step} + 5000)`);
  const isOpen = "n % 11 = 0";
  const open = "(n / 11 % 10)";
  const status = `case when ${isOpen} then
      case when ${open} < 4 then 'PLANNED' when ${open} = 4 then 'RUNNING' else 'WAITING_OBSERVATION' end
    when n % 100 < 90 then 'COMPLETED' when n % 100 < 97 then 'FAILED' else 'CANCELLED' end`;
  const isFailed = `not (${isOpen}) and n % 100 between 90 and 96`;
  const waits = `case when ${isOpen} and ${open} >= 5 then
      case ${open} when 5 then 1 when 6 then 2 when 7 then 4 when 8 then 8 else (case when n / 11 % 1000 = 9 then 32 else 2 end) end end`;
  const statements: string[] = [];
  for (let from = 0; from < tasks; from += PIECE) {
    const rows = numbers(from, Math.min(tasks, from + PIECE) - 1);
    statements.push(
      `insert into ${schema}tasks (id, flow_name, status, version, input_payload, output_payload, error, due_at, parked_reason,
        parent_task_id, schedule, priority, tags, waits, created_at, updated_at, finished_at)
      select ${id("n")}, 'flow_' || (n / 7 % ${FLOWS}), ${status}, 2, ${text(`'{"text":"hello","a":1,"b":2}'`, "json")},
        case when not (${isOpen}) and n % 100 < 90 then ${text(`'{"sum":3}'`, "json")} end,
        case when ${isFailed} then ${text(`'{"name":"Error","message":"' || (case when n % 3 = 0 then 'Timeout after 30 s' else 'refused' end) || '"}'`, "json")} end,
        case when ${isOpen} and ${open} < 4 and n / 11 % 500 <> 0 then ${created} end,
        case when ${isOpen} and n / 11 % 500 = 0 then 'Its flow has changed.' end,
        case when n % 50 = 1 then ${id("(n - n % 1000)")} end,
        case when n % 100 = 3 then 'nightly' end, case when n % 100 = 5 then 0 else 5 end,
        case when n % 10 = 0 then ${text(`'{"customer":"c' || (n / 10 % 1000) || '"}'`, "json")} end,
        ${waits}, ${created}, case when ${isOpen} then ${created} else ${ended} end, case when not (${isOpen}) then ${ended} end
      from ${rows}`,
      `insert into ${schema}task_tags (task_id, key, value, created_at)
      select ${id("n")}, 'customer', 'c' || (n / 10 % 1000), ${created} from ${rows} where n % 10 = 0`,
      `insert into ${schema}task_steps
        (task_id, id, step_index, path, kind, step_name, target, execution, status, input_payload, created_at, updated_at)
      select ${id("n")}, ${text("'00000001-0000-7000-8000-000000000000'", "uuid")}, 1, '/0', 'signal', 'approved',
        case when n / 11 % 3 = 0 then 'paid' else 'approved' end, null, 'RUNNING', ${text("'{}'", "json")}, ${created}, ${created}
      from ${rows} where ${isOpen} and ${open} in (6, 9)`,
    );
  }
  statements.push(
    `insert into ${schema}task_counts (flow_name, status, tasks)
    select flow_name, status, count(*) from ${schema}tasks group by flow_name, status`,
  );
  return [...statements, "analyze"];
}

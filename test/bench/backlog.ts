// A queue of many tasks of `echo_add`, written by SQL: a million of them in a minute.

/** Flows are named `flow_0`, `flow_1`, …; a flow that is not busy has no task. */
export interface Backlog {
  readonly due: number;
  /** Due only tomorrow; of the first flow. */
  readonly asleep?: number;
  /** Default 1. */
  readonly flows?: number;
  /** Default: all. */
  readonly busyFlows?: number;
  /** The tasks have so many keys, in turn. Default: none. */
  readonly keys?: number;
}

interface Dialect {
  /** A relation of the numbers of a piece, as `n`. */
  readonly numbers: (from: number, to: number) => string;
  /** So many milliseconds after `from`. */
  readonly time: (from: number, ms: string) => string;
  readonly hex: (number: string, digits: number) => string;
  readonly text: (sql: string, type: "uuid" | "json") => string;
  readonly schema: string;
}

/** How each writes what is made of a number. */
export const DIALECTS: Readonly<Record<"sqlite" | "postgres", Dialect>> = {
  postgres: {
    numbers: (from, to) => `generate_series(${from}, ${to}) as numbers (n)`,
    time: (from, ms) => `timestamptz '${new Date(from).toISOString()}' + ${ms} * interval '1 ms'`,
    hex: (number, digits) => `lpad(to_hex(${number}), ${digits}, '0')`,
    text: (sql, type) => `(${sql})::${type}`,
    schema: "taskonaut.",
  },
  sqlite: {
    numbers: (from, to) =>
      `(with recursive series (n) as (select ${from} union all select n + 1 from series where n < ${to}) select n from series)`,
    time: (from, ms) => `${from} + ${ms}`,
    hex: (number, digits) => `printf('%0${digits}x', ${number})`,
    text: (sql) => sql,
    schema: "",
  },
};

const PIECE = 100_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Statements for empty, migrated tables, each a transaction. */
export function backlogScript(
  dialect: "sqlite" | "postgres",
  { due, asleep = 0, flows = 1, busyFlows = flows, keys }: Backlog,
): readonly string[] {
  const way = DIALECTS[dialect];
  // a task and its first steps have one time
  const at = Date.now() - HOUR_MS;
  const statements: string[] = [];
  for (let from = 0; from < due; from += PIECE) {
    statements.push(...piece(way, { at, from, to: Math.min(due, from + PIECE) - 1, dueMs: "n", busyFlows, keys }));
  }
  for (let from = due; from < due + asleep; from += PIECE) {
    const to = Math.min(due + asleep, from + PIECE) - 1;
    statements.push(...piece(way, { at, from, to, dueMs: `(n + ${DAY_MS})`, busyFlows: 1 }));
  }
  return [...statements, "analyze"];
}

function piece(
  { numbers, time, hex, text, schema }: Dialect,
  {
    at,
    from,
    to,
    dueMs,
    busyFlows,
    keys,
  }: { at: number; from: number; to: number; dueMs: string; busyFlows: number; keys?: number | undefined },
): readonly string[] {
  const id = (first: string): string => `${first} || '-0000-7000-8000-' || ${hex("n", 12)}`;
  const task = text(id(hex("n / 65536", 8)), "uuid");
  const created = time(at, "0");
  const insert = `insert into ${schema}tasks
    (id, flow_name, status, input_payload, due_at, created_at, updated_at, version, current_step, observed_count, priority, limit_key, wake_seq, depth, recorded_bytes)
    select ${task}, 'flow_' || (n % ${busyFlows}), 'PLANNED', ${text(`'{"text":"hello","a":1,"b":2}'`, "json")}, ${time(at, dueMs)}, ${created}, ${created},
      1, 0, 0, 5, ${keys === undefined ? "null" : `'key ' || (n % ${keys})`}, 0, 0, 0
    from ${numbers(from, to)}`;
  const steps = [
    { index: 1, tool: "echo", input: '{"text":"hello"}' },
    { index: 2, tool: "add", input: '{"a":1,"b":2}' },
  ].map(
    (step) => `insert into ${schema}task_steps
    (task_id, id, step_index, path, kind, step_name, target, execution, status, input_payload, created_at, updated_at)
    select ${task}, ${text(id(`'0000000${step.index}'`), "uuid")}, ${step.index}, '/${step.index - 1}', 'tool', '${step.tool}', '${step.tool}', 'pure', 'PLANNED',
      ${text(`'${step.input}'`, "json")}, ${created}, ${created}
    from ${numbers(from, to)}`,
  );
  return [insert, ...steps];
}

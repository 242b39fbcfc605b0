// What the store asks of PostgreSQL all the time has one plan, which looks rows up, and which seems cheap to the planner:
// on tables that are empty, small, large, or huge, analysed or not, with a plan for all parameters and with one for these.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { openPostgresMigrator } from "../../src/store/postgres/migrate.ts";
import { createServer, type PostgresServer } from "../support/postgres-server.ts";
import { HOT, SCHEMA, SEARCHES, SELDOM } from "./postgres-plan-cases.ts";
import { callsOfParts } from "./part-calls.ts";
import { ANSWERS, partsOn } from "./postgres-plan-parts.ts";
import {
  explain,
  FEW_ROWS,
  findSystemServer,
  type Plan,
  type PlanMode,
  type Statement,
  takeDown,
} from "./postgres-plans.ts";

const TASKS = 2_000;
const COST_MAX = 10_000;

const LOOKS_UP = /^(Index Scan .*\(.+\)|Tid Scan )/;
/** Indexes that hold no task that has ended, or whose walk ends after so many entries. */
const WALKS = /^Index Scan (tasks tasks_(due|parked) |task_events task_events_pkey \(\)|schedules schedules_pkey \(\))/;
/** What walks, or may. */
const WALKERS = [...Object.keys(SELDOM), "events.listen", "schedules.declare"];
/** What a person asks for, or comes with a new flow: it may seem to cost what it costs. */
const MAY_COST = [...Object.keys(SELDOM), "limits.list all", "counters.read", "schedules.declare"];

/** In this order: each goes on from the one before. */
const STATES: Readonly<Record<string, string>> = {
  new: "select 1",
  "small and analysed": `${fill(1, 300)}; analyze`,
  "large and analysed": `${fill(301, TASKS)}; analyze`,
  vacuumed: "vacuum analyze",
  // the planner reckons with rows per page, times the pages that there are
  "huge by its statistics": `update pg_class set reltuples = reltuples * 10000
    where relnamespace = 'taskonaut'::regnamespace and reltuples > 0
      and relname !~ '^(${FEW_ROWS.join("|")})'`,
};

/** Half of the tasks are due, the others wait; each has two steps, two tags, a call, and two rows in its inbox. */
function fill(from: number, to: number): string {
  const numbers = `generate_series(${from}, ${to}) as n`;
  const id = (n: string): string => `('00000000-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
  return `
    insert into taskonaut.tasks (id, flow_name, status, input_payload, due_at, created_at, updated_at)
    select ${id("n")}, case when n % 5 = 0 then 'flow_' || n % 100 else 'echo_add' end, 'PLANNED', '{}',
      now() + (${TASKS / 2} - n) * interval '1 s', now(), now() from ${numbers};
    insert into taskonaut.task_steps
      (task_id, id, step_index, path, kind, step_name, target, status, input_payload, created_at, updated_at)
    select ${id("n")}, ${id("n * 2 + i")}, i + 1, '/' || i, 'tool', 'echo', 'echo', 'PLANNED', '{}', now(), now()
    from ${numbers}, generate_series(0, 1) as i;
    insert into taskonaut.tool_calls
      (task_id, task_step_id, tool_name, status, request_payload, started_at, created_at)
    select ${id("n")}, ${id("n * 2")}, 'echo', 'RUNNING', '{}', now(), now() from ${numbers};
    insert into taskonaut.task_inbox (task_id, seq, kind, name, created_at)
    select ${id("n")}, i, 'signal', 'approved', now() from ${numbers}, generate_series(1, 2) as i;
    insert into taskonaut.task_tags (task_id, key, value, created_at)
    select ${id("n")}, tag, n % 50, now() from ${numbers}, unnest('{customer,region}'::text[]) as tag;
    insert into taskonaut.tickets (limit_name, key, task_id, step_id, token)
    select 'limit_' || n % 3, 'k' || n % 20, ${id("n")}, ${id("n * 2")}, 't'
    from ${numbers};
    insert into taskonaut.payloads (task_id, key, text) select ${id("n")}, 'k', 'text' from ${numbers};
    insert into taskonaut.task_counts (flow_name, status, tasks)
    select 'flow_' || n % 100, 'PLANNED', 1 from ${numbers};
    insert into taskonaut.task_events (kind, about_id, version, flow_name, status, parked, priority)
    select 'changed', ${id("n")}, 2, 'echo_add', 'RUNNING', false, 5 from ${numbers};
    insert into taskonaut.audit_log (seq, at, who, role, way, action, target_kind, target, previous_hash, hash)
    select n, now(), 'me', 'admin', 'cli', 'cancel-task', 'task', 'task ' || n, '', '' from ${numbers};
    insert into taskonaut.sessions (hash, created_at, used_at) select 'hash ' || n, now(), now() from ${numbers};
    insert into taskonaut.schedules (name, flow_name, owner, every_ms, time_zone, input, overlap, catch_up, next_at, created_at, updated_at)
    select 's' || n, 'flow_' || n % 100, 'flow', 60000, 'UTC', '{}', 'skip', 'last', now() + (n - 100) * interval '1 s', now(), now()
    from ${numbers};
    insert into taskonaut.schedule_skips (schedule_name, from_at, until_at, count, kind, reason, recorded_at)
    select 's' || n, now(), now(), 1, 'missed', 'why', now() from ${numbers};
    insert into taskonaut.counters (minutes, begins_at, flow_name, writer, created, completed, failed, cancelled)
    select 1, now() - n * interval '1 min', 'flow_' || n % 100, 'w' || n % 2, 1, 1, 1, 1 from ${numbers};
    insert into taskonaut.limit_starts (kind, name, slice_at, last_at, count)
    select 'tool', 'limit_' || n % 3, now() - n * interval '1 s', now() - n * interval '1 s', 1 from ${numbers};
    insert into taskonaut.workers (id, name, started_at, lease_until, lease_ms)
    values (gen_random_uuid(), 'w', now(), now(), 1000)`;
}

/** As a session is whose settings a pooler has swallowed. */
const SWALLOWED = "set jit = on; set enable_seqscan = on; set enable_bitmapscan = on";

const MODES = ["force_generic_plan", "force_custom_plan"] satisfies PlanMode[];

interface Planned extends Plan {
  readonly what: string;
  /** The state of the tables, and the mode. */
  readonly when: string;
}

const system = findSystemServer();

describe.each([
  ["the server of the tests", undefined],
  // one that compiles what seems costly
  ...(system === undefined ? [] : [["the server of the system", system] as const]),
])("on %s", (_, binaries) => {
  let server: PostgresServer | undefined;
  const own: Planned[] = [];
  const swallowed: Planned[] = [];

  beforeAll(async () => {
    server = await createServer({ binaries });
    const { url } = server;
    const migrator = openPostgresMigrator({ url });
    await migrator.migrate();
    await migrator.close();
    const [first, second] = Array.from(
      { length: 2 },
      () => new PostgresClient({ url, connectionsMax: 1, deadlineMs: 30_000 }),
    );
    if (!first || !second) throw new Error("no clients");
    await second.execute(SWALLOWED);
    const hot = await Promise.all([
      ...Object.entries({ ...HOT, ...SELDOM }).map(async ([what, use]) => ({ what, statements: await takeDown(use) })),
      ...Object.entries(callsOfParts()).map(async ([what, ask]) => ({
        what,
        statements: await takeDown((client) => ask(partsOn(client, SCHEMA)), ANSWERS[what]),
      })),
      ...Object.entries(SEARCHES).map(async ([what, [use, ...answers]]) => ({
        what,
        statements: await takeDown(use, answers),
      })),
    ]);
    for (const [state, script] of Object.entries(STATES)) {
      for (const statement of script.split(";")) await first.execute(statement);
      for (const { what, statements } of hot) {
        own.push(...(await planAll(first, state, what, statements)));
        swallowed.push(...(await planAll(second, state, what, statements)));
      }
    }
    await first.close();
    await second.close();
  }, 120_000);
  afterAll(() => server?.dispose());

  test("every statement has one plan: a hot one looks rows up by an index, another walks what has not ended, once", () => {
    for (const [what, plans] of Map.groupBy(own, (plan) => plan.what)) {
      const [first] = plans;
      for (const { when, reads } of plans)
        expect({ what, when, reads }).toEqual({ what, when, reads: first?.reads ?? [] });
      const read = first?.reads ?? [];
      const walks = isOf(WALKERS, what) ? read.filter((way) => WALKS.test(way)) : [];
      expect(walks.length).toBeLessThanOrEqual(1);
      const whole = read.filter((way) => !LOOKS_UP.test(way) && !walks.includes(way));
      expect({ what, whole }).toEqual({ what, whole: [] });
    }
  });

  test("none is compiled, and no hot one seems so costly that it would be, also where a pooler has swallowed the session's settings", () => {
    const costly = swallowed.filter(
      ({ what, cost, isCompiled }) => !isOf(MAY_COST, what) && (cost > COST_MAX || isCompiled),
    );
    expect(costly.map(({ what, when, cost, isCompiled }) => ({ what, when, cost, isCompiled }))).toEqual([]);
    expect(own.filter(({ isCompiled }) => isCompiled)).toEqual([]);
  });
});

function isOf(names: readonly string[], what: string): boolean {
  return names.some((name) => what.startsWith(name));
}

async function planAll(
  client: PostgresClient,
  state: string,
  what: string,
  statements: readonly Statement[],
): Promise<Planned[]> {
  const plans: Planned[] = [];
  for (const [place, statement] of statements.entries()) {
    for (const mode of MODES) {
      plans.push({
        what: place === 0 ? what : `${what}, then ${place}`,
        when: `${state}, ${mode}`,
        ...(await explain(client, statement, mode)),
      });
    }
  }
  return plans;
}

// A call of each method of the parts of the store: one that is left out does not compile.

import type { AuditDraft } from "../../src/core/record/audit.ts";
import { DELAY_RANGES } from "../../src/core/record/delays.ts";
import type { Firing } from "../../src/store/schedule-store.ts";
import { pauseLine, type Store } from "../../src/store/store.ts";
import { plannedRecord, scheduleRow, T0 } from "./rows.ts";

type Ask<Part> = (part: Part) => Promise<unknown>;

export type PartName =
  | "admission"
  | "audit"
  | "counters"
  | "counts"
  | "events"
  | "figures"
  | "limits"
  | "pauses"
  | "removal"
  | "schedules"
  | "sessions"
  | "tokens";

/** For one method one call, or several by name. Null: it asks the server for nothing. */
type Calls<Part> = { readonly [Method in keyof Part]: Ask<Part> | Readonly<Record<string, Ask<Part>>> | null };

export const WORKER = "0000000a-0000-4000-8000-000000000000";

export const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export const AUDIT: AuditDraft = {
  who: "me@here",
  token_id: null,
  role: "admin",
  way: "cli",
  reason: "why",
  request_id: null,
  address: null,
  action: "cancel-task",
  target_kind: "task",
  target: idOf(7),
  state_before: "{}",
  state_after: null,
};

const ANY_ENTRY = { who: null, action: null, target: null, way: null, since: null, until: null };

const asked = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ taskId: idOf(n + 1), stepId: idOf(2 * n), key: "k", token: "t" }));

const minutes = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    flow_name: `flow_${n}`,
    begins_at: n % 2 === 0 ? T0 : null,
    created: 1,
    completed: 1,
    failed: 0,
    cancelled: 0,
    delays: Array.from({ length: DELAY_RANGES }, () => 1),
  }));

const firings = (count: number): Firing[] =>
  Array.from({ length: count }, (_, n) => {
    const row = scheduleRow({ name: `s${n}`, version: 2 });
    const skip = { from_at: T0, until_at: T0, count: 1, kind: "missed", reason: "why", recorded_at: T0 } as const;
    return { row, tasks: [plannedRecord({ schedule: row.name })], skips: [{ schedule_name: row.name, ...skip }] };
  });

const SOURCE = { flow_name: "order", code: "x", seen: "[]", version: 2, confirmed_at: T0 };
const FLOWS = [
  { name: "echo_add", code: "built-in" },
  { name: "order", code: "x" },
];
const LIMIT = { kind: "tool", name: "limit_1" } as const;
const NUMBERS = { running: 5, runningPerKey: 1, rate: { count: 10, perMs: 1000 } };
const TOKEN = { id: "t1", name: "n", role: "admin", flows: null, hides_payloads: 0, secret_hash: "h" } as const;

const CALLS: { readonly [Name in PartName]: Calls<Store[Name]> } = {
  admission: {
    findOpen: (admission) => admission.findOpen("echo_add", "key"),
    findExpired: (admission) => admission.findExpired(500),
  },
  audit: {
    list: {
      "": (audit) => audit.list(ANY_ENTRY, { limit: 101, before: null }),
      "next page": (audit) => audit.list({ ...ANY_ENTRY, who: "me" }, { limit: 101, before: 1000 }),
    },
    walk: (audit) => audit.walk(100, 500),
    head: (audit) => audit.head(),
    findOld: (audit) => audit.findOld({ keptMs: 1000, stepMs: 1000 }),
    removeOld: {
      "": (audit) => audit.removeOld({ through: 0 }),
      first: (audit) => audit.removeOld({ through: 0, audit: { ...AUDIT, target_kind: "log" } }),
    },
  },
  counters: {
    write: {
      one: (counters) => counters.write(WORKER, minutes(1)),
      many: (counters) => counters.write(WORKER, minutes(500)),
    },
    read: {
      "of all": (counters) => counters.read({ from: T0, until: T0 + 3_600_000, stepMs: 60_000, flow: null }),
      "of one flow": (counters) => counters.read({ from: T0, until: T0 + 3_600_000, stepMs: 60_000, flow: "echo_add" }),
    },
    fold: (counters) => counters.fold(),
  },
  counts: { read: (counts) => counts.read(), fold: (counts) => counts.fold() },
  events: { listen: (events) => events.listen(60_000), openReader: (events) => events.openReader().read() },
  figures: {
    ofFlows: (figures) => figures.ofFlows(["echo_add", "order"]),
    ofTickets: (figures) => figures.ofTickets(),
    ofWorkers: (figures) => figures.ofWorkers(),
  },
  limits: {
    declare: (limits) => limits.declare([{ ...LIMIT, isKeyed: true, ...NUMBERS }]),
    take: {
      one: (limits) => limits.take("limit_1", asked(1)),
      many: (limits) => limits.take("limit_1", asked(200)),
      "in the line of a pause": (limits) => limits.take(pauseLine("echo"), asked(1)),
    },
    giveBack: (limits) => limits.giveBack("limit_1", asked(200)),
    settle: (limits) => limits.settle(),
    list: { all: (limits) => limits.list(), one: (limits) => limits.list(LIMIT) },
    set: (limits) => limits.set(LIMIT, { running: 3, reason: null, by: "me" }, { audit: AUDIT }),
    reset: (limits) => limits.reset(LIMIT, { audit: AUDIT }),
    placeOfStep: (limits) => limits.placeOfStep(idOf(7), idOf(8)),
    placeOfTask: (limits) => limits.placeOfTask(idOf(7)),
  },
  pauses: {
    read: (pauses) => pauses.read(WORKER),
    put: (pauses) =>
      pauses.put(
        { scope: "flow", name: "order", id: idOf(1), reason: null, made_by: "me", aborts: 0 },
        { audit: AUDIT },
      ),
    remove: (pauses) => pauses.remove("flow", "order", { audit: AUDIT }),
    acknowledge: (pauses) => pauses.acknowledge(WORKER, idOf(1)),
    findUnaware: (pauses) => pauses.findUnaware(idOf(1)),
  },
  removal: {
    restMs: null,
    portion: null,
    listEndedFlows: (removal) => removal.listEndedFlows(),
    findEnded: (removal) => removal.findEnded({ flow: "echo_add", status: "COMPLETED", keptMs: 1000 }),
    removeTasks: {
      "of a worker": (removal) =>
        removal.removeTasks({ ids: [idOf(7), idOf(8)], keptMs: 1000, lease: { owner: WORKER, ms: 1000 } }),
      "of a person": (removal) => removal.removeTasks({ ids: [idOf(7), idOf(8)], audit: AUDIT }),
    },
  },
  schedules: {
    list: (schedules) => schedules.list({ limit: 1000 }),
    read: (schedules) => schedules.read("s1"),
    readSkips: (schedules) => schedules.readSkips("s1"),
    insert: (schedules) => schedules.insert(scheduleRow({ name: "new" }), { audit: AUDIT }),
    remove: (schedules) => schedules.remove("s1", 1, { audit: AUDIT }),
    readDue: (schedules) => schedules.readDue(FLOWS),
    fire: { one: (schedules) => schedules.fire(firings(1)), many: (schedules) => schedules.fire(firings(100)) },
    wakeQueued: (schedules) => schedules.wakeQueued(["s1", "s2"]),
    listSources: (schedules) => schedules.listSources(),
    declare: (schedules) =>
      schedules.declare({
        source: SOURCE,
        rows: [scheduleRow({ name: "s1", version: 2, owner: "flow" })],
        names: ["s1"],
      }),
    confirm: (schedules) => schedules.confirm(FLOWS),
  },
  sessions: {
    insert: (sessions) =>
      sessions.insert({ hash: "h", token_id: null, secret_hash: null }, { idleMs: 1000, audit: AUDIT }),
    read: (sessions) => sessions.read("h"),
    noteUse: (sessions) => sessions.noteUse("h"),
    remove: (sessions) => sessions.remove("h", { audit: AUDIT }),
  },
  tokens: {
    insert: (tokens) => tokens.insert({ ...TOKEN, expiresInMs: null }, { audit: AUDIT }),
    list: (tokens) => tokens.list(),
    read: (tokens) => tokens.read("t1"),
    isAny: (tokens) => tokens.isAny(),
    rotate: (tokens) => tokens.rotate("t1", { hash: "h", graceMs: 1000 }, { audit: AUDIT }),
    revoke: (tokens) => tokens.revoke("t1", { audit: AUDIT }),
    noteUse: (tokens) => tokens.noteUse("t1"),
  },
};

/** Each call by what is asked, as `limits.take one`. */
export function callsOfParts(): Readonly<Record<string, Ask<Pick<Store, PartName>>>> {
  const calls: Record<string, Ask<Pick<Store, PartName>>> = {};
  for (const [part, methods] of Object.entries(CALLS)) {
    for (const [method, call] of Object.entries<Ask<never> | Readonly<Record<string, Ask<never>>> | null>(methods)) {
      for (const [way, ask] of typeof call === "function" ? [["", call] as const] : Object.entries(call ?? {})) {
        calls[`${part}.${method} ${way}`.trim()] = (parts) => ask(parts[part as PartName] as never);
      }
    }
  }
  return calls;
}

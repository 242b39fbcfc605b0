// The schedules of a simulated database: what each statement of a real store does to them.

import type { TaskRow } from "../../src/core/record/record.ts";
import type { ScheduleRow, ScheduleSourceRow, SkipRow } from "../../src/core/record/schedule.ts";
import type { Declaration, DueSchedules, Firing, FiringFlow } from "../../src/store/schedule-store.ts";
import { ScheduleLedger } from "./schedule-ledger.ts";
import type { SimDatabase } from "./sim-database.ts";

export class SimSchedules {
  readonly #rows = new Map<string, ScheduleRow>();
  readonly #sources = new Map<string, ScheduleSourceRow>();
  readonly #skips = new Map<string, SkipRow>();
  readonly ledger = new ScheduleLedger();
  /** Told of what must not be. */
  onBreach: (breach: string) => void = () => {};

  constructor(private readonly database: SimDatabase) {}

  get rows(): readonly ScheduleRow[] {
    return [...this.#rows.values()];
  }

  get skips(): readonly SkipRow[] {
    return [...this.#skips.values()];
  }

  list({ limit, after = "" }: { readonly limit: number; readonly after?: string }): readonly ScheduleRow[] {
    return this.rows
      .filter(({ name }) => name > after)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit);
  }

  read(name: string): ScheduleRow | undefined {
    return this.#rows.get(name);
  }

  readSkips(name: string): readonly SkipRow[] {
    return this.skips.filter(({ schedule_name }) => schedule_name === name).toSorted((a, b) => b.from_at - a.from_at);
  }

  insert(row: ScheduleRow): boolean {
    if (this.#rows.has(row.name)) return false;
    this.#rows.set(row.name, row);
    this.ledger.noteInserted(row);
    return true;
  }

  /** They fire no more. */
  stopAll(): void {
    for (const row of this.rows) this.#rows.set(row.name, { ...row, next_at: null, version: row.version + 1 });
  }

  /** Those that nobody has fired for so long. */
  neglected(ms: number, now: number): readonly ScheduleRow[] {
    return this.rows.filter(({ next_at }) => next_at !== null && next_at + ms < now);
  }

  remove(name: string, version: number): boolean {
    return this.#rows.get(name)?.version === version && this.#rows.delete(name);
  }

  readDue(flows: readonly FiringFlow[], now: number): DueSchedules {
    const own = this.rows.filter((row) => flows.some((flow) => this.#isOwn(row, flow)));
    const later = own.flatMap(({ next_at }) => (next_at !== null && next_at > now ? [next_at] : []));
    const due = own
      .filter(({ next_at }) => next_at !== null && next_at <= now)
      .toSorted((a, b) => (a.next_at ?? 0) - (b.next_at ?? 0))
      .map((row) => ({ row, open: this.#openOf(row.name) }));
    return { now, due, nextAt: later.length === 0 ? null : Math.min(...later) };
  }

  fire(firings: readonly Firing[]): readonly boolean[] {
    return firings.map((firing) => {
      const { row, tasks, skips } = firing;
      const before = this.#rows.get(row.name);
      if (before?.version !== row.version - 1) return false;
      if (tasks.some(({ task }) => this.#isKeyTaken(task))) return false;
      const breach = this.ledger.breachOf(firing, before);
      if (breach !== undefined) this.onBreach(breach);
      this.#rows.set(row.name, row);
      this.database.insertTasks(tasks);
      for (const skip of skips) {
        const key = `${skip.schedule_name} ${skip.from_at}`;
        this.#skips.set(key, { ...skip, count: skip.count + (this.#skips.get(key)?.count ?? 0) });
      }
      return true;
    });
  }

  wakeQueued(names: readonly string[], now: number): number {
    const woken = this.rows.filter(
      ({ name, queued_at, next_at }) => names.includes(name) && queued_at !== null && (next_at ?? 0) > now,
    );
    for (const row of woken) this.#rows.set(row.name, { ...row, next_at: now });
    return woken.length;
  }

  listSources(): readonly ScheduleSourceRow[] {
    return [...this.#sources.values()];
  }

  declare({ source, rows, names }: Declaration): boolean {
    if ((this.#sources.get(source.flow_name)?.version ?? 0) !== source.version - 1) return false;
    this.#sources.set(source.flow_name, source);
    for (const { name, flow_name, owner } of this.rows) {
      if (flow_name === source.flow_name && owner === "flow" && !names.includes(name)) this.#rows.delete(name);
    }
    for (const row of rows) {
      const there = this.#rows.get(row.name);
      const isSame = there?.owner === "flow" && there.flow_name === row.flow_name && there.version === row.version - 1;
      if (there === undefined || isSame) this.#rows.set(row.name, row);
    }
    return true;
  }

  confirm(flows: readonly FiringFlow[], now: number): void {
    for (const { name, code } of flows) {
      const source = this.#sources.get(name);
      if (source?.code === code) this.#sources.set(name, { ...source, confirmed_at: now });
    }
  }

  #isKeyTaken({ id, flow_name: flow, unique_key: key }: TaskRow): boolean {
    return key !== null && !this.database.readTask(id) && this.database.findOpen(flow, key) !== undefined;
  }

  #isOwn({ flow_name, owner }: ScheduleRow, { name, code }: FiringFlow): boolean {
    return flow_name === name && (owner === "command" || this.#sources.get(name)?.code === code);
  }

  #openOf(name: string): readonly string[] {
    return this.database.tasks
      .filter(({ task }) => task.schedule === name && task.finished_at === null)
      .map(({ task }) => task.id);
  }
}

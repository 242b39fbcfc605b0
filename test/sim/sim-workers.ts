// The table `workers` of the simulated database, and the locks by which its processes see who lives.

import type { ListedWorker, WorkerRow, WorkerState } from "../../src/store/store.ts";
import type { SimDatabase } from "./sim-database.ts";

interface StoredWorker extends WorkerRow {
  readonly lease_ms: number;
}

export class SimWorkers {
  readonly #rows = new Map<string, StoredWorker>();
  readonly #locks = new Set<string>();
  /** Ids that the database has called dead at least once: their tasks are for whoever comes first. */
  readonly seenDead = new Set<string>();
  /** A free lock says nothing right after a restart, which frees them all. */
  upSince = Number.NEGATIVE_INFINITY;

  constructor(private readonly database: SimDatabase) {}

  register(worker: { id: string; name: string; leaseMs: number; concurrency: number }, now: number): void {
    const { id, name, leaseMs, concurrency } = worker;
    this.#locks.add(id);
    this.#rows.set(id, { id, name, concurrency, started_at: now, lease_until: now + leaseMs, lease_ms: leaseMs });
  }

  renew(id: string, leaseMs: number, now: number): boolean {
    const row = this.#rows.get(id);
    if (!row) return false;
    this.stateOf(id, now); // a lease that has passed is remembered
    this.#rows.set(id, { ...row, lease_until: now + leaseMs, lease_ms: leaseMs });
    return true;
  }

  isRegistered(id: string): boolean {
    return this.#rows.has(id);
  }

  remove(id: string): void {
    this.#rows.delete(id);
    this.#locks.delete(id);
  }

  stateOf(id: string, now: number): WorkerState {
    const row = this.#rows.get(id);
    const isLocked = this.#locks.has(id) || (row !== undefined && this.upSince + row.lease_ms > now);
    if (row && row.lease_until > now && isLocked) return "alive";
    this.seenDead.add(id);
    return "dead";
  }

  findDead(now: number): string[] {
    return [...this.#rows.keys()].filter((id) => this.stateOf(id, now) === "dead");
  }

  forgetDead(now: number): number {
    const held = new Set(this.database.tasks.map(({ task }) => task.lease_owner));
    const gone = this.findDead(now).filter((id) => !held.has(id));
    for (const id of gone) this.#rows.delete(id);
    return gone.length;
  }

  list(now: number): ListedWorker[] {
    return [...this.#rows.values()]
      .toSorted((a, b) => a.started_at - b.started_at || (a.id < b.id ? -1 : 1))
      .map((row) => ({
        ...row,
        state: this.stateOf(row.id, now),
        tasks: this.database.tasks.filter(({ task }) => task.lease_owner === row.id).length,
      }));
  }

  takeLock(id: string): void {
    this.#locks.add(id);
  }

  freeLock(id: string): void {
    this.#locks.delete(id);
  }

  freeAllLocks(): void {
    this.#locks.clear();
  }
}

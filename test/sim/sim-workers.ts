// The table `workers` of the simulated database, and the locks by which its processes see who lives: who is found dead
// by them is for the real `DeathWatch` to say, of which each process has one.

import type { Suspect } from "../../src/store/postgres/death-watch.ts";
import type { UnawareWorker } from "../../src/store/store.ts";
import type { ListedWorker, NewWorker, WorkerRow, WorkerState } from "../../src/store/worker-store.ts";
import type { SimDatabase } from "./sim-database.ts";

interface StoredWorker extends WorkerRow {
  readonly lease_ms: number;
  /** How often the lease was renewed. */
  readonly renewals: number;
  readonly graceMs: number | null;
  readonly pausesSeen: string;
}

export class SimWorkers {
  readonly #rows = new Map<string, StoredWorker>();
  readonly #locks = new Set<string>();
  /** Ids that the database has called dead at least once: their tasks are for whoever comes first. */
  readonly seenDead = new Set<string>();
  /** Ids of workers whose processes are known to be gone. */
  readonly gone = new Set<string>();
  /** Told of each worker whose lease others end. */
  onEnded: (id: string) => void = () => {};

  constructor(private readonly database: SimDatabase) {}

  register(worker: NewWorker, { now, graceMs }: { readonly now: number; readonly graceMs: number | null }): void {
    const { id, name, leaseMs, concurrency, flows = [], codes = {} } = worker;
    this.#locks.add(id);
    const lease = { started_at: now, lease_until: now + leaseMs, lease_ms: leaseMs };
    const pausesSeen = this.#rows.get(id)?.pausesSeen ?? "";
    const told = { flows: JSON.stringify(flows), codes: JSON.stringify(codes) };
    const row = { id, name, concurrency, ...told, ...lease, renewals: 0, graceMs, pausesSeen };
    this.#rows.set(id, row);
  }

  pausesSeen(id: string): string | null {
    return this.#rows.get(id)?.pausesSeen ?? null;
  }

  acknowledgePauses(id: string, pausesSeen: string): void {
    const row = this.#rows.get(id);
    if (row) this.#rows.set(id, { ...row, pausesSeen });
  }

  /** Those that have not acknowledged this pause. */
  unawareOf(pauseId: string): UnawareWorker[] {
    return [...this.#rows.values()].filter(({ pausesSeen }) => !pausesSeen.includes(pauseId));
  }

  renew(id: string, leaseMs: number, now: number): boolean {
    const row = this.#rows.get(id);
    if (!row) return false;
    this.stateOf(id, now); // a lease that has passed is remembered
    this.#rows.set(id, { ...row, lease_until: now + leaseMs, lease_ms: leaseMs, renewals: row.renewals + 1 });
    return true;
  }

  /** Its connection stands again: it has its lock, and a lease from now on. */
  comeBack(id: string, now: number): void {
    const row = this.#rows.get(id);
    this.#locks.add(id);
    if (row) this.renew(id, row.lease_ms, now);
  }

  hasLease(id: string, now: number): boolean {
    return (this.#rows.get(id)?.lease_until ?? 0) > now;
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
    if (row && row.lease_until > now) return "alive";
    this.seenDead.add(id);
    return "dead";
  }

  findDead(now: number): string[] {
    return [...this.#rows.keys()].filter((id) => this.stateOf(id, now) === "dead");
  }

  /** Those whose leases run and whose locks are free. */
  suspects(now: number): Suspect[] {
    return [...this.#rows.values()]
      .filter(({ id, lease_until }) => lease_until > now && !this.#locks.has(id))
      .map(({ id, renewals, graceMs }) => ({
        id,
        lease: String(renewals),
        whereabouts: this.gone.has(id) ? "gone" : "unknown",
        graceMs,
      }));
  }

  /** Others have a proof that it is dead. False where it has renewed its lease meanwhile. */
  endLease({ id, lease }: Suspect, now: number): boolean {
    const row = this.#rows.get(id);
    if (!row || String(row.renewals) !== lease) return false;
    this.leave(id, now);
    this.onEnded(id);
    return true;
  }

  /** It holds something still, and goes. */
  leave(id: string, now: number): void {
    const row = this.#rows.get(id);
    this.#locks.delete(id);
    if (row) this.#rows.set(id, { ...row, lease_until: Math.min(row.lease_until, now) });
    this.stateOf(id, now);
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

  freeLock(id: string): void {
    this.#locks.delete(id);
  }

  freeAllLocks(): void {
    this.#locks.clear();
  }
}

import type { Actor, AuditEntry, AuditLog, AuditPage, AuditVerdict, ListAudit } from "../../src/core/api/audit.ts";

/** A log of entries that a test puts there. */
export class FakeAudit implements AuditLog {
  entries: readonly AuditEntry[] = [];
  verdict: AuditVerdict = { intact: true, entries: 0, removed: null, head: { seq: 0, hash: "" }, faults: [] };
  /** Who has acted, in order. */
  readonly actors: Actor[] = [];
  readonly asked: ListAudit[] = [];

  acting<Result>(actor: Actor, act: () => Promise<Result>): Promise<Result> {
    this.actors.push(actor);
    return act();
  }

  async list(request: ListAudit): Promise<AuditPage> {
    this.asked.push(request);
    return { entries: this.entries };
  }

  async verify(): Promise<AuditVerdict> {
    return this.verdict;
  }
}

// The interface for `taskonaut migrate`.

export interface MigrationStatus {
  readonly number: number;
  readonly name: string;
  /** Null: not applied yet. */
  readonly applied_at: number | null;
}

/** A database that can be migrated. Several `migrate` calls at once, from any processes, have the effect of one. */
export interface Migrator {
  readonly location: string;
  /** Read-only. Throws `migration_changed`, `database_ahead`, `database_unavailable`. */
  status(): Promise<readonly MigrationStatus[]>;
  /** Applies what is missing, in order, each in a transaction, under a lock; gives what it applied itself. */
  migrate(): Promise<readonly MigrationStatus[]>;
  close(): Promise<void>;
}

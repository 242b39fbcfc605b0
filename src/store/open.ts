// Opens a store, a migrator and so on at an address. No other file asks which dialect it is. Each dialect's code is
// loaded on demand: a command does not pay for what it does not use.

import type { Backup } from "../core/api/backup.ts";
import type { Migrator } from "../core/api/migrator.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import type { TellWait } from "../core/waiting.ts";
import { TaskonautError } from "../core/errors.ts";
import { displayServer, type PostgresAddress, type SqliteAddress, type StoreAddress } from "./address.ts";
import type { Blame } from "./blame.ts";
import type { BenchPlace } from "./baseline.ts";
import type { Migration } from "./migrations.ts";
import type { SignOfLife, Store } from "./store.ts";

interface OpenOptions {
  /** The deadline of each call, including connecting (S3). Default 10 s. */
  readonly deadlineMs?: number;
  /** Receives the reason why a call waits. */
  readonly tellWait?: TellWait | undefined;
}

export interface StoreOptions extends OpenOptions {
  /** For a worker, which needs connections as well: fewer are left for others. */
  readonly works?: boolean;
  /** A missing file is not created. Throws `database_not_found`. */
  readonly mustExist?: boolean;
}

interface MigratorOptions extends OpenOptions {
  /** Default: the binary's migrations. */
  readonly known?: readonly Migration[];
}

/**
 * Throws `usage`, and for a file what opening and migrating it throws; a server is contacted only with the first query.
 */
export function openStore(address: StoreAddress, options: StoreOptions = {}): Promise<Store> {
  return open(address, {
    sqlite: async (at) => (await import("./sqlite/store.ts")).openSqliteStore({ ...at, ...options }),
    postgres: async (at) => (await import("./postgres/store.ts")).openPostgresStore({ ...at, ...options }),
  });
}

/** Throws `usage`; opens the database with the first query. */
export function openMigrator(address: StoreAddress, options: MigratorOptions = {}): Promise<Migrator> {
  return open(address, {
    sqlite: async (at) => (await import("./sqlite/migrate.ts")).openSqliteMigrator({ ...at, ...options }),
    postgres: async (at) => (await import("./postgres/migrate.ts")).openPostgresMigrator({ ...at, ...options }),
  });
}

/** A separate place beside the existing tasks. Throws `usage` in memory, `database_unavailable`. */
export function openBenchPlace(address: StoreAddress): Promise<BenchPlace> {
  return open(address, {
    sqlite: async (at) => (await import("./sqlite/bench-place.ts")).openSqliteBenchPlace(at),
    postgres: async (at) => (await import("./postgres/bench-place.ts")).openPostgresBenchPlace(at),
  });
}

/** For a thread that does nothing else: the part of a store that shows a worker as alive. */
export function openSignOfLife(
  address: StoreAddress,
  options: Required<Pick<OpenOptions, "deadlineMs">>,
): Promise<SignOfLife & Pick<Store, "noteCause" | "close">> {
  return open<SignOfLife & Pick<Store, "noteCause" | "close">>(address, {
    sqlite: () => openStore(address, options),
    postgres: async (at) => (await import("./postgres/lifeline.ts")).openPostgresLifeline({ ...at, ...options }),
  });
}

/** Records why a process is killed. Throws what the database does. */
export function putDownBlame(address: StoreAddress, blame: Blame, deadlineMs: number): Promise<void> {
  return open(address, {
    sqlite: async ({ path }) => (await import("./sqlite/blame.ts")).blameOnSqlite(path, blame, deadlineMs),
    postgres: async (at) => (await import("./postgres/blame.ts")).blameOnPostgres(at, blame, deadlineMs),
  });
}

/**
 * Copies the database to `file`, an absolute path. Throws `usage` if the database is not a file, and what
 * `backUpSqlite` does.
 */
export function backUp(address: StoreAddress, file: string, tellWait?: TellWait): Promise<Backup> {
  return open(address, {
    sqlite: async ({ path }) => (await import("./sqlite/back-up.ts")).backUpSqlite({ path, file, tellWait }),
    postgres: async ({ url, schema }) => {
      throw new TaskonautError(
        "usage",
        `backup copies SQLite files. PostgreSQL has a program of its own: pg_dump --format=custom --schema=${schema} --file=${quoteForShell(file)} ${quoteForShell(displayServer(url))}`,
      );
    },
  });
}

function open<Result>(
  address: StoreAddress,
  ways: {
    readonly sqlite: (at: SqliteAddress) => Promise<Result>;
    readonly postgres: (at: PostgresAddress) => Promise<Result>;
  },
): Promise<Result> {
  return address.dialect === "sqlite" ? ways.sqlite(address) : ways.postgres(address);
}

// A file to measure on, in a separate folder beside the database file: so it is on the same disk.

import { existsSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { TaskonautError } from "../../core/errors.ts";
import type { StoreAddress } from "../address.ts";
import type { BenchPlace, BytesWritten, Baseline } from "../baseline.ts";
import type { Store } from "../store.ts";
import { openConnection, type SqliteConnection } from "./connection.ts";
import { explainFolderFailure } from "./failures.ts";
import { createBaseline } from "./baseline.ts";
import { migrate } from "./migrate.ts";
import { openSqliteStore } from "./store.ts";

const DEADLINE_MS = 10_000;
/** By the number that the pragma returns. */
const SYNCHRONOUS = ["off", "normal", "full", "extra"];

/**
 * Does not open the database file itself. Throws `usage` for `:memory:`, where no commit is durable, and
 * `database_unavailable` if nothing can be written beside the file.
 */
export async function openSqliteBenchPlace({ path }: { readonly path: string }): Promise<BenchPlace> {
  if (path === ":memory:") {
    throw new TaskonautError(
      "usage",
      "Nothing is durable in memory: name a file in the database URL to measure there.",
    );
  }
  const folder = await mkdtemp(join(nearestFolder(path), ".taskonaut-bench-")).catch((error: unknown) => {
    throw explainFolderFailure(error, path);
  });
  try {
    return new SqliteBenchPlace(folder, await openMigrated(fileIn(folder)));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The folder of the file; if it does not exist yet, the folder that it would be created in. */
function nearestFolder(path: string): string {
  let folder = dirname(resolve(path));
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

function fileIn(folder: string): string {
  return join(folder, "bench.db");
}

async function openMigrated(path: string): Promise<SqliteConnection> {
  const connection = await openConnection({ path, deadlineMs: DEADLINE_MS });
  try {
    await migrate(connection, Date.now);
    await connection.write(() => connection.execute("create table bench_commits (id integer primary key, at integer)"));
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

class SqliteBenchPlace implements BenchPlace {
  readonly address: StoreAddress;
  readonly location: string;

  constructor(
    private readonly folder: string,
    private connection: SqliteConnection,
  ) {
    this.address = { dialect: "sqlite", path: connection.path };
    this.location = `sqlite:${connection.path}`;
  }

  get baseline(): Baseline {
    return createBaseline(this.connection);
  }

  async readDurability(): Promise<Readonly<Record<string, string>>> {
    const { connection } = this;
    const row = connection.prepare<{ version: string }>("select sqlite_version() as version").get();
    const journal = connection.prepare<{ journal_mode: string }>("pragma journal_mode").get();
    const sync = connection.prepare<{ synchronous: number }>("pragma synchronous").get();
    return {
      sqlite_version: row?.version ?? "unknown",
      journal_mode: journal?.journal_mode ?? "unknown",
      synchronous: SYNCHRONOUS[sync?.synchronous ?? -1] ?? "unknown",
    };
  }

  openStore(onCommit?: () => void): Promise<Store> {
    return openSqliteStore({ path: this.connection.path, ...(onCommit && { onCommit }) });
  }

  async commitOnce(): Promise<void> {
    const { connection } = this;
    await connection.write(() => connection.prepare("insert into bench_commits (at) values (?1)").run(Date.now()));
  }

  async countEnded(): Promise<number> {
    const text = "select count(*) as ended from tasks where status = 'COMPLETED'";
    return this.connection.prepare<{ ended: number }>(text).get()?.ended ?? 0;
  }

  async analyze(): Promise<void> {
    await this.connection.write(() => this.connection.execute("analyze"));
  }

  /** Keeps a snapshot meanwhile: so written data stays in the log, which would otherwise be emptied now and then. */
  async countBytes(): Promise<() => Promise<BytesWritten>> {
    const { path, deadlineMs } = this.connection;
    this.connection.prepare("pragma wal_checkpoint(truncate)").get();
    const dataBefore = this.#dataBytes();
    const snapshot = await openConnection({ path, deadlineMs });
    snapshot.prepare("begin").run();
    snapshot.prepare("select 1 from sqlite_schema").get();
    return async () => {
      const { size: log } = await stat(`${path}-wal`);
      snapshot.close();
      return { log, data: this.#dataBytes() - dataBefore };
    };
  }

  async clear(): Promise<void> {
    const { path } = this.connection;
    this.connection.close();
    for (const suffix of ["", "-wal", "-shm"]) await rm(path + suffix, { force: true });
    this.connection = await openMigrated(path);
  }

  async remove(): Promise<void> {
    this.connection.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #dataBytes(): number {
    const text = "select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()";
    return this.connection.prepare<{ bytes: number }>(text).get()?.bytes ?? 0;
  }
}

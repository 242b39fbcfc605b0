// The places on which a test of the engine runs: a fresh database of each dialect, which any number of stores, in this
// process and in others, may be opened on.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { migratedDatabase } from "./migrated-database.ts";
import { copyMigrated } from "./migrated-file.ts";

export interface EngineDatabase {
  /** For `openStore`, also in another process. */
  readonly url: string;
  openStore(): Promise<Store>;
  drop(): Promise<void>;
}

export const DATABASES: readonly (readonly [name: string, create: () => Promise<EngineDatabase>])[] = [
  ["sqlite", createSqlite],
  ["postgres", createPostgres],
];

/** `sqlite:<path>` or `postgres://…`, migrated. */
export function openStore(url: string): Promise<Store> {
  return url.startsWith("sqlite:")
    ? openSqliteStore({ path: url.slice("sqlite:".length) })
    : openPostgresStore({ url });
}

async function createSqlite(): Promise<EngineDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-engine-"));
  const path = join(folder, "tasks.db");
  await copyMigrated(path);
  const url = `sqlite:${path}`;
  return { url, openStore: () => openStore(url), drop: () => rm(folder, { recursive: true }) };
}

async function createPostgres(): Promise<EngineDatabase> {
  const database = await migratedDatabase();
  return { url: database.url, openStore: () => openStore(database.url), drop: () => database.drop() };
}

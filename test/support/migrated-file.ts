// SQLite files that have all tables, and no task. They are copies of one, which is made once in a process: to make one, SQLite
// waits ten times for the disk.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteMigrator } from "../../src/store/sqlite/migrate.ts";
import { once } from "./once.ts";

/** Writes one where nothing is. */
export async function copyMigrated(path: string): Promise<void> {
  writeFileSync(path, await migratedFile(), { mode: 0o600, flag: "wx" });
}

const migratedFile: () => Promise<Uint8Array> = once(async () => {
  const folder = mkdtempSync(join(tmpdir(), "taskonaut-migrated-"));
  try {
    const path = join(folder, "tasks.db");
    const migrator = openSqliteMigrator({ path });
    await migrator.migrate();
    await migrator.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

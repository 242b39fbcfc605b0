import type { MigrationStatus, Migrator } from "../../core/api/migrator.ts";
import { showControls } from "../../core/visible.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { toJson } from "../print.ts";
import { type Column, drawTable } from "../table.ts";
import { showTime } from "../times.ts";

export const migrate: Command = {
  name: "migrate",
  summary: "Bring the database up to date",
  about:
    "An SQLite file is migrated when it is opened first; a PostgreSQL database wants this command once, and after an upgrade.",
  args: [],
  options: [{ name: "status", summary: "List all migrations and change nothing" }],
  takesFields: false,
  needs: "database",
  readsOnly: true,
  logLevel: "warn",
  examples: ["migrate --database-url postgres://postgres:postgres@127.0.0.1:5433/taskrunner", "migrate --status"],

  async run(call) {
    const migrator = await call.wiring.openMigrator();
    try {
      await (call.flags.has("status") ? printStatus(call, migrator) : applyMissing(call, migrator));
      return 0;
    } finally {
      await migrator.close();
    }
  },
};

async function applyMissing({ io, look }: Call, migrator: Migrator): Promise<void> {
  const applied = await migrator.migrate();
  const location = showControls(migrator.location);
  if (look.style !== "readable") {
    await io.stdout.write(`${toJson({ location: migrator.location, applied: applied.map(toResource) }, look)}\n`);
  } else if (applied.length === 0) {
    await io.stdout.write(`Nothing was missing in ${location}.\n`);
  } else {
    await io.stdout.write(`Applied to ${location}:\n${showTable(applied, look)}`);
  }
}

async function printStatus({ io, look }: Call, migrator: Migrator): Promise<void> {
  const migrations = await migrator.status();
  await io.stdout.write(
    look.style === "readable"
      ? `${showControls(migrator.location)}\n${showTable(migrations, look)}`
      : `${toJson({ location: migrator.location, migrations: migrations.map(toResource) }, look)}\n`,
  );
}

/** With the time in words, as in every other resource. */
function toResource({ number, name, applied_at }: MigrationStatus): Record<string, string | number | null> {
  return { number, name, applied_at: applied_at === null ? null : new Date(applied_at).toISOString() };
}

function showTable(migrations: readonly MigrationStatus[], look: Call["look"]): string {
  return `${drawTable(COLUMNS, migrations, look).join("\n")}\n`;
}

const COLUMNS: readonly Column<MigrationStatus>[] = [
  { head: "#", right: true, show: ({ number }) => ({ text: String(number) }) },
  { head: "MIGRATION", least: 8, show: ({ name }, width) => ({ text: showText(name, width) }) },
  {
    head: "APPLIED",
    least: 10,
    show: ({ applied_at }, width) =>
      applied_at === null
        ? { text: "pending", color: "yellow" }
        : { text: showTime(new Date(applied_at).toISOString()).slice(0, width), color: "dim" },
  },
];

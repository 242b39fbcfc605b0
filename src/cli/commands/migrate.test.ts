import { expect, mock, test } from "bun:test";
import type { Migrator } from "../../core/api/migrator.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";

const AT = "2026-11-23T03:39:25.130Z";

test("migrate tells what it applied, and --status what there is", async () => {
  const close = mock(async () => {});
  const missing = { number: 2, name: "workers", applied_at: null };
  const done = { number: 1, name: "tasks", applied_at: Date.parse(AT) };
  const migrator: Migrator = {
    location: "sqlite:x.db",
    status: async () => [done, missing],
    migrate: async () => [],
    close,
  };
  const wiring = { openMigrator: async () => migrator };
  expect((await cli(["migrate"], { wiring, isTTY: true })).stdout).toBe("Nothing was missing in sqlite:x.db.\n");
  expect(JSON.parse((await cli(["migrate"], { wiring })).stdout)).toEqual({ location: "sqlite:x.db", applied: [] });
  expect(JSON.parse((await cli(["migrate", "--status"], { wiring })).stdout)).toEqual({
    location: "sqlite:x.db",
    migrations: [{ ...done, applied_at: AT }, missing],
  });
  const { stdout } = await cli(["migrate", "--status"], { wiring, isTTY: true, env: { NO_COLOR: "1" } });
  expect(stdout.split("\n")).toEqual([
    "sqlite:x.db",
    "#  MIGRATION  APPLIED",
    "1  tasks      2026-11-23 03:39:25.130Z",
    "2  workers    pending",
    "",
  ]);
  expect(close).toHaveBeenCalledTimes(4);
});

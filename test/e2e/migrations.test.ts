// Migrations: `taskonaut migrate`, and what every other command says of a database that this binary does not fit.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { openPlace } from "./place.ts";
import { errorOf, expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const COMMANDS = [["run-flow"], ["get-tasks"], ["get-task", "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11"], ["run-app"]];

describe("migrations", () => {
  let sandbox: Sandbox;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    sandbox = await openSandbox({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    await database.drop();
  });

  test("a database without them is refused by every other command, with the command to run", async () => {
    for (const command of COMMANDS) {
      const { exit, stdout, stderr } = await sandbox.run(command);
      expect({ command, exit, stdout }).toEqual({ command, exit: 5, stdout: "" });
      expect(stderr).toMatch(/^error: The database .*lacks migration 1 \(initial\)\. It has to be migrated first\.$/m);
      expect(errorOf(await sandbox.run([...command, "--json"]))).toEqual({ exit: 5, code: "database_behind" });
    }
  });

  test("--status lists them and changes nothing", async () => {
    for (let time = 0; time < 2; time++) {
      const { stdout } = await sandbox.run(["migrate", "--status"]);
      expect(JSON.parse(stdout)).toMatchObject({
        migrations: [{ number: 1, name: "initial", applied_at: null }],
      });
    }
  });

  test("ten at once apply each migration once; the next one finds nothing to do", async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => sandbox.run(["migrate"])));
    for (const { exit, stderr } of results) expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const applied = results.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: { number: number }[] }).applied);
    expect(applied.map(({ number }) => number)).toEqual([1]);
    expect(JSON.parse((await sandbox.run(["migrate"])).stdout)).toMatchObject({ applied: [] });
    const { stdout } = await sandbox.run(["migrate", "--status"]);
    expect(JSON.parse(stdout)).toMatchObject({
      migrations: [{ number: 1, applied_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) }],
    });
    expect(stdout).not.toContain("postgres:postgres");
    expectCompleted(taskOf(await sandbox.run(["run-flow"])));
  });

  test("one schema knows nothing of another", async () => {
    const env = { TASKONAUT_SCHEMA: "another" };
    expect(errorOf(await sandbox.run(["get-tasks", "--json"], { env }))).toEqual({ exit: 5, code: "database_behind" });
    expect((await sandbox.run(["migrate"], { env })).exit).toBe(0);
    expect((await sandbox.run(["get-tasks"], { env })).stdout).toBe("[]\n");
    expect(errorOf(await sandbox.run(["get-tasks", "--json"], { env: { TASKONAUT_SCHEMA: "pg_x; drop" } }))).toEqual({
      exit: 2,
      code: "usage",
    });
  });
});

describe.each(["sqlite", "postgres"] as const)("a database that this binary does not fit, on %s", (dialect) => {
  test.each([
    [
      "with a migration that was changed since: every command says which",
      "checksum = 'another'",
      [`The database ${dialect}:`, "its migration 1 (initial) is not the one", "or name another file"],
    ],
    [
      "from before the first release: every command says that it cannot go on, and what to do",
      "name = 'tasks', checksum = 'another'",
      [`The database ${dialect}:`, "from before the first release", "and migrate it"],
    ],
  ])("one %s", async (_, change, said) => {
    await using place = await openPlace(dialect);
    await place.query(`update schema_migrations set ${change}`);
    for (const command of [...COMMANDS, ["migrate"], ["migrate", "--status"]]) {
      const result = await place.run([...command, "--json"]);
      expect([command, errorOf(result)]).toEqual([command, { exit: 5, code: "migration_changed" }]);
      for (const words of said) expect(result.stderr).toContain(words);
    }
  });

  test("one of a newer version", async () => {
    await using place = await openPlace(dialect);
    const now = dialect === "sqlite" ? "0" : "now()";
    await place.query(
      `insert into schema_migrations (number, name, checksum, applied_at) values (999, 'future', 'x', ${now})`,
    );
    for (const command of [...COMMANDS, ["migrate"], ["migrate", "--status"]]) {
      const result = await place.run([...command, "--json"]);
      expect([command, errorOf(result)]).toEqual([command, { exit: 5, code: "database_ahead" }]);
      expect(result.stderr).toContain("migration 999 (future)");
    }
  });
});

// PostgreSQL: the forms of its URL, and what is said when it cannot be used.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:net";
import { testDatabase } from "../support/postgres.ts";
import { openSandbox } from "./harness.ts";
import { openPlace } from "./place.ts";
import { errorOf, expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(60_000);

describe("the URL", () => {
  test("may have the forms that earlier users have", async () => {
    await using place = await openPlace("postgres");
    const rest = place.url.replace(/^postgres:/, "");
    for (const scheme of ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg", "POSTGRESQL"]) {
      for (const url of [`${scheme}:${rest}`, `${scheme}:${rest}?sslmode=disable&application_name=mine`]) {
        expectCompleted(taskOf(await place.run(["run-flow", "--database-url", url])));
      }
    }
    expect(JSON.parse((await place.run(["get-tasks"])).stdout)).toHaveLength(10);
  });

  test("may hold a password of any characters", async () => {
    await using place = await openPlace("postgres");
    const password = "p@ss:/?#[]% word'\"\\ü";
    const role = `role_${crypto.randomUUID().replaceAll("-", "")}`;
    await place.query(`create role ${role} login password '${password.replaceAll("'", "''")}'`);
    await place.query(`grant usage on schema taskonaut to ${role};
      grant all on all tables in schema taskonaut to ${role}`);
    const url = new URL(place.url);
    url.username = role;
    url.password = encodeURIComponent(password);
    const result = await place.run(["run-flow", "--database-url", url.href]);
    await place.query(`drop owned by ${role}; drop role ${role}`);
    expectCompleted(taskOf(result));
  });
});

describe.concurrent("what cannot be used is told quickly, with 5, and without the password", () => {
  const SECRET = "hunter2";

  /** A port that takes connections and never says a word. */
  async function withSilentPort<Result>(use: (port: number) => Promise<Result>): Promise<Result> {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const sockets = new Set<{ destroy(): void }>();
    silent.on("connection", (socket) => sockets.add(socket));
    try {
      return await use(typeof address === "object" && address !== null ? address.port : 0);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  }

  async function expectRefusal(url: string, message: RegExp, withinMs = 5000): Promise<void> {
    await using sandbox = await openSandbox({ DATABASE_URL: url });
    for (const command of [["run-flow"], ["run-app"], ["migrate"], ["migrate", "--status"]]) {
      const started = performance.now();
      const text = await sandbox.run(command);
      expect(performance.now() - started).toBeLessThan(withinMs);
      expect({ command, exit: text.exit, stdout: text.stdout }).toEqual({ command, exit: 5, stdout: "" });
      expect(text.stderr).toMatch(message);
      expect(text.stderr).not.toContain(SECRET);
    }
    const json = await sandbox.run(["get-tasks", "--json", "--log-level", "debug"]);
    expect(errorOf(json)).toEqual({ exit: 5, code: "database_unavailable" });
    expect(json.stderr).not.toContain(SECRET);
  }

  test("a wrong password", async () => {
    const { url, drop } = await testDatabase();
    const wrong = new URL(url);
    wrong.password = SECRET;
    await expectRefusal(wrong.href, /refuses the login\. Check user and password/);
    await drop();
  });

  test("a user or a database that is not there", async () => {
    const { url, drop } = await testDatabase();
    const user = new URL(url);
    user.username = "nobody_here";
    user.password = SECRET;
    await expectRefusal(user.href, /refuses the login/);
    const database = new URL(url);
    database.pathname = "/not_there";
    await expectRefusal(database.href, /no such database/);
    await drop();
  });

  test("a port on which nothing listens", async () => {
    await expectRefusal(`postgres://me:${SECRET}@127.0.0.1:1/x`, /ECONNREFUSED 127\.0\.0\.1:1/);
  });

  test("a host that nobody knows", async () => {
    await expectRefusal(`postgres://me:${SECRET}@no-such-host.invalid/x`, /no-such-host\.invalid/, 10_000);
  });

  test("a server that says nothing is given up after 10 s", async () => {
    await withSilentPort(async (port) => {
      await using sandbox = await openSandbox({ DATABASE_URL: `postgres://me:${SECRET}@127.0.0.1:${port}/x` });
      const started = performance.now();
      const { exit, stderr } = await sandbox.run(["get-tasks"]);
      expect(performance.now() - started).toBeLessThan(13_000);
      expect(exit).toBe(5);
      expect(stderr).toMatch(/did not answer within 10 s|CONNECT_TIMEOUT/);
      expect(stderr).not.toContain(SECRET);
    });
  });
});

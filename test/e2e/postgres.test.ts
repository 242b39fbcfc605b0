// PostgreSQL: the forms of its URL, and what is said when it cannot be used.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:net";
import { testDatabase } from "../support/postgres.ts";
import { openSandbox } from "./harness.ts";
import { openPlace } from "./place.ts";
import { errorOf, expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

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

  test("is completed by the variables that libpq knows, and nothing in them is a fault of taskonaut's own", async () => {
    await using place = await openPlace("postgres");
    const { hostname, port, username, password, pathname } = new URL(place.url);
    const own = {
      DATABASE_URL: "postgres:///",
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
      PGAPPNAME: "mine",
      PGOPTIONS: "-c statement_timeout=9s",
    };
    expectCompleted(taskOf(await place.run(["run-flow"], { env: own })));
    const harmless = {
      PGTARGETSESSIONATTRS: "any",
      PGCONNECT_TIMEOUT: "7",
      PGSSLMODE: "disable",
      PGSSLROOTCERT: "/none",
      PGSERVICE: "none",
      PGPASSFILE: "/none",
      PGSERVICEFILE: "/none",
      PGCHANNELBINDING: "disable",
      PGGSSENCMODE: "disable",
      PGREQUIREAUTH: "none",
      PGCLIENTENCODING: "LATIN1",
      PGTZ: "Mars/Phobos",
      PGDATESTYLE: "German",
      // the driver's own
      PGMAX: "none",
      PGPREPARE: "x",
      PGDEBUG: "1",
      PGBACKOFF: "x",
      PGKEEP_ALIVE: "x",
      PGMAX_LIFETIME: "1",
      PGIDLE_TIMEOUT: "1",
      PGMAX_PIPELINE: "0",
      PGSSL: "require",
      PGUSERNAME: "nobody",
      PGFETCH_TYPES: "x",
      PGPUBLICATIONS: "x",
    };
    const login = { PGHOST: "other.invalid", PGUSER: "nobody", PGPASSWORD: "wrong", PGDATABASE: "none", PGPORT: "1" };
    const quiet = await place.run(["run-flow"], { env: { ...harmless, ...login } });
    expect(quiet.stderr).toBe("");
    expectCompleted(taskOf(quiet));
    const wrong: [variable: string, value: string, exit: number][] = [
      ["PGTARGETSESSIONATTRS", "first", 2],
      ["PGTARGETSESSIONATTRS", "standby", 5],
      ["PGCONNECT_TIMEOUT", "soon", 2],
      ["PGSSLMODE", "maybe", 2],
      ["PGSSLNEGOTIATION", "x", 2],
      ["PGSSLMODE", "verify-full", 5],
      ["PGOPTIONS", "-c none=1", 5],
      ["PGOPTIONS", "nonsense", 5],
    ];
    for (const [variable, value, exit] of wrong) {
      const ended = await place.run(["get-tasks", "--json"], { env: { [variable]: value } });
      expect([variable, value, ended.exit], ended.stderr).toEqual([variable, value, exit]);
    }
    for (const [variable, value] of [
      ["PGPORT", "x"],
      ["PGHOST", "a,b"],
      ["PGDATABASE", "none"],
      ["PGUSER", "\u00fc"],
    ] as const) {
      const { exit, stderr } = await place.run(["get-tasks", "--json"], { env: { ...own, [variable]: value } });
      expect([2, 5], `${variable}: ${stderr}`).toContain(exit);
    }
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

  /** At once is meant; whoever waits until a call is given up waits for 10 s. */
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
    await expectRefusal(
      database.href,
      /no such database\. Create it with `createdb --maintenance-db=postgres:\S+\/postgres not_there`/,
    );
    await drop();
  });

  test("a port on which nothing listens", async () => {
    await expectRefusal(`postgres://me:${SECRET}@127.0.0.1:1/x`, /ECONNREFUSED 127\.0\.0\.1:1/);
  });

  test("a host that nobody knows", async () => {
    await expectRefusal(`postgres://me:${SECRET}@no-such-host.invalid/x`, /no-such-host\.invalid/, 20_000);
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

// Database URLs as people have them, from providers and from other programs.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";

import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { ownServer } from "../support/postgres.ts";
import type { PostgresServer } from "../support/postgres-server.ts";

const CERTIFICATES = join(import.meta.dir, "../support/certificates");
const CA = join(CERTIFICATES, "ca.pem");
const OTHER_CA = join(CERTIFICATES, "other-ca.pem");

let server: PostgresServer;
/** `127.0.0.1:5432`, as in the server's URL. */
let address: string;
let port: string;

beforeAll(async () => {
  server = await ownServer();
  ({ host: address, port } = new URL(server.url));
});

afterAll(() => server.dispose());

interface Answer {
  readonly user: string;
  readonly database: string;
  readonly is_encrypted: boolean;
  readonly application: string;
}

/** Asks the server behind the URL who we are to it. */
async function ask(url: string): Promise<Answer | undefined> {
  const client = new PostgresClient({ url, connectionsMax: 1, deadlineMs: 5_000 });
  try {
    const [answer] = await client.query<Answer>(
      `select current_user as user, current_database() as database, current_setting('application_name') as application,
         (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as is_encrypted`,
    );
    return answer;
  } finally {
    await client.close();
  }
}

const login = "postgres:postgres";

describe("where the server has no TLS", () => {
  for (const mode of ["disable", "allow", "prefer"]) {
    test(`sslmode=${mode} goes without`, async () => {
      const answer = await ask(`postgres://${login}@${address}/postgres?sslmode=${mode}`);
      expect(answer?.is_encrypted).toBe(false);
    });
  }

  for (const parameters of ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full", "ssl=true"]) {
    test(`${parameters} is told why it cannot be, and not that something may have been written`, async () => {
      const failure = await ask(`postgres://${login}@${address}/postgres?${parameters}`).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({
        code: "database_unavailable",
        message: expect.stringMatching(/the server has no TLS.*sslmode=prefer/),
      });
      expect(String(failure)).not.toContain("written");
    });
  }
});

describe("parameters", () => {
  test("of other programs are passed over, and those of libpq that need nothing here", async () => {
    const foreign =
      "pgbouncer=true&schema=public&connection_limit=5&pool_timeout=10&sslaccept=strict&prepareThreshold=0&channel_binding=prefer&gssencmode=disable&keepalives=1&client_encoding=utf8";
    const answer = await ask(`postgres://${login}@${address}/postgres?${foreign}&application_name=me`);
    expect(answer).toEqual({ user: "postgres", database: "postgres", is_encrypted: false, application: "me" });
  });

  test("say what the URL could say itself, and go before it", async () => {
    const forms = [
      `postgres:///?host=127.0.0.1&port=${port}&user=postgres&password=postgres&dbname=postgres`,
      `postgres://nobody:wrong@${address}/none?user=postgres&password=postgres&dbname=postgres`,
      `postgres://${login}@no-such-name.invalid:${port}/postgres?hostaddr=127.0.0.1`,
      `postgres://${login}@no-such-name.invalid,127.0.0.1/postgres?port=1,${port}`,
    ];
    for (const url of forms) expect(await ask(url)).toMatchObject({ user: "postgres", database: "postgres" });
  });

  test.each([
    ["bogus=secret", /know: bogus\./],
    ["search_path=secret", /know: search_path\..*options=-c%20search_path%3D/],
    ["sslmode=secret", /sslmode is one of disable, allow/],
    ["sslmode=require&sslcert=/no/such/file", /file of sslcert cannot be read/],
    ["sslrootcert=/no/such/file&sslmode=verify-full", /file of sslrootcert cannot be read/],
    ["sslnegotiation=direct&sslmode=prefer", /sslnegotiation=direct needs/],
    ["service=secret", /does not support: service\. /],
    ["requirepeer=secret", /does not support: requirepeer\. /],
  ])("%s is refused by name, and its value is not shown", (parameters, message) => {
    const open = (): unknown =>
      new PostgresClient({ url: `postgres://h/n?${parameters}`, connectionsMax: 1, deadlineMs: 1 });
    expect(open).toThrow(expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }));
    expect(open).not.toThrow(/secret/);
  });
});

describe("where the server has TLS", () => {
  beforeAll(async () => {
    const client = new PostgresClient({ url: server.url, connectionsMax: 1, deadlineMs: 5_000 });
    const [row] = await client.query<{ data_directory: string }>("show data_directory");
    const folder = row?.data_directory ?? "";
    for (const name of ["server.key", "server.pem"]) {
      const lines = (await Bun.file(join(CERTIFICATES, name)).text()).trim().split("\n");
      await client.execute(`copy (select unnest(array['${lines.join("', '")}'])) to '${join(folder, name)}'`);
    }
    await chmod(join(folder, "server.key"), 0o600);
    await client.query("alter system set ssl_cert_file = 'server.pem'");
    await client.query("alter system set ssl = on");
    await client.close();
    await server.stop();
    await server.start();
  });

  const named = (): string => `${login}@localhost:${port}/postgres`;

  test.each([
    ["sslmode=allow"],
    ["sslmode=prefer"],
    ["sslmode=require"],
    ["sslmode=no-verify"],
    ["ssl=true"],
    ["sslmode=require&sslnegotiation=direct"],
    [`sslmode=require&sslrootcert=${CA}`],
    [`sslmode=verify-ca&sslrootcert=${CA}`],
    [`sslmode=verify-full&sslrootcert=${CA}`],
  ])("%s encrypts", async (parameters) => {
    expect((await ask(`postgres://${named()}?${parameters}`))?.is_encrypted).toBe(true);
  });

  test("verify-ca takes a certificate of another name, verify-full does not", async () => {
    const other = `postgres://${login}@${address}/postgres?sslrootcert=${CA}`;
    expect((await ask(`${other}&sslmode=verify-ca`))?.is_encrypted).toBe(true);
    await expect(ask(`${other}&sslmode=verify-full`)).rejects.toMatchObject({ message: expect.stringMatching(/TLS/) });
  });

  test.each([
    [`sslmode=verify-ca&sslrootcert=${OTHER_CA}`],
    [`sslmode=require&sslrootcert=${OTHER_CA}`],
    ["sslmode=verify-full"],
    ["sslrootcert=system"],
  ])("%s refuses a certificate that nobody trusted has signed", async (parameters) => {
    await expect(ask(`postgres://${named()}?${parameters}`)).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringMatching(/TLS with the server fails.*Check sslmode/),
    });
  });

  test("sslmode=disable goes without", async () => {
    expect((await ask(`postgres://${named()}?sslmode=disable`))?.is_encrypted).toBe(false);
  });
});

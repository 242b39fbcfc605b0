import { expect, test } from "bun:test";

import { TaskonautError } from "../../core/errors.ts";
import { parseServerUrl } from "./server-url.ts";

test("one host, several, none, an IPv6 address and a Unix socket", () => {
  const cases: [url: string, addresses: [host: string, port: number][]][] = [
    ["postgres://me:secret@host:5433/name", [["host", 5433]]],
    ["postgres://host/name", [["host", 5432]]],
    [
      "postgres://me@a:1,b,c:3/name",
      [
        ["a", 1],
        ["b", 5432],
        ["c", 3],
      ],
    ],
    ["postgres://me:1,2@host/name", [["host", 5432]]],
    ["postgres://[::1]:5433/name", [["::1", 5433]]],
    ["postgres:///name", []],
    ["postgres:///name?host=/run/postgresql", [["/run/postgresql", 5432]]],
    ["postgres:///name?host=host&port=1", [["host", 1]]],
    ["postgres://%2Frun%2Fpostgresql/name", [["/run/postgresql", 5432]]],
    ["postgres://%2Frun%2Fpostgresql:5433/name", [["/run/postgresql", 5433]]],
    ["postgres://me@/name?host=/cloudsql/project:region:1", [["/cloudsql/project:region:1", 5432]]],
    ["postgres://%2Fcloudsql%2Fproject:region:one:5433/name", [["/cloudsql/project:region:one", 5433]]],
  ];
  for (const [url, addresses] of cases) {
    expect(parseServerUrl(url).addresses).toEqual(addresses.map(([host, port]) => ({ host, port })));
  }
});

test("what postgres.js is not to read is kept from it", () => {
  const { url } = parseServerUrl(
    "postgres://host/name?sslmode=require&channel_binding=require&host=x&application_name=y",
  );
  expect(url).toBe("postgres://host/name?application_name=y");
  expect(parseServerUrl("postgres://host/name?gssencmode=disable").url).toBe("postgres://host/name");
});

test("a login needs no host in the URL", () => {
  const { url, addresses, login } = parseServerUrl("postgres://me:s%3Aecret@/name?host=/run/postgresql");
  expect(url).toBe("postgres:///name");
  expect(addresses).toEqual([{ host: "/run/postgresql", port: 5432 }]);
  expect(login).toEqual({ user: "me", password: "s:ecret" });
  expect(parseServerUrl("postgres://me@/name?user=you").login).toEqual({ user: "you" });
});

test("where nothing names a user, it is the one that this process runs as, also without USER", () => {
  const { USER } = process.env;
  delete process.env["USER"];
  try {
    const name = Bun.spawnSync(["id", "-un"]).stdout.toString().trim();
    for (const url of ["postgres://host/name", "postgres:///name?host=/run/postgresql"])
      expect(parseServerUrl(url).login).toEqual({ user: name });
    expect(parseServerUrl("postgres://me@host/name").login).toEqual({});
  } finally {
    if (USER !== undefined) process.env["USER"] = USER;
  }
});

test("what cannot be is refused, whichever host it is of", () => {
  const wrong = [
    "postgres://a,b:70000/name",
    "postgres://a,b:c/name",
    "postgres:///name?host=a&port=x",
    "postgres://host/name?connect_timeout=soon",
    "postgres://host/name?target_session_attrs=first",
    "postgres://host/name?sslnegotiation=soon",
  ];
  for (const url of wrong) expect(() => parseServerUrl(url)).toThrow(TaskonautError);
});

test("what libpq would do and cannot be had here is refused by its name, and not taken for a setting of the server", () => {
  for (const name of ["service", "passfile", "require_auth", "ssl_min_protocol_version", "replication"]) {
    expect(() => parseServerUrl(`postgres://host/name?${name}=x`)).toThrow(
      `The PostgreSQL URL has a parameter that taskonaut does not support: ${name}. Remove it.`,
    );
  }
  expect(() => parseServerUrl("postgres://host/name?statement_timeout=5")).toThrow("options=-c%20statement_timeout%3D");
});

test("a host without a name is this machine", () => {
  expect(parseServerUrl("postgres://db.example,:6432/app").addresses).toEqual([
    { host: "db.example", port: 5432 },
    { host: "localhost", port: 6432 },
  ]);
});

test("several ports and addresses belong to several hosts", () => {
  const { addresses } = parseServerUrl("postgres:///name?host=a,b&hostaddr=10.0.0.1,10.0.0.2&port=1,2");
  expect(addresses).toEqual([
    { host: "a", port: 1, place: "10.0.0.1" },
    { host: "b", port: 2, place: "10.0.0.2" },
  ]);
});

test("what the driver would take for the end of a password is escaped", () => {
  expect(parseServerUrl("postgres://me:a@b,c@d,e/name").url).toBe("postgres://me:a%40b%2Cc@d,e/name");
});

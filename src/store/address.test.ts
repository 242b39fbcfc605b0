import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { displayServer, parseAddress } from "./address.ts";

const ENVIRONMENT = { HOME: "/home/me" };
const HERE = "/home/me/project";

describe("an SQLite file", () => {
  const cases: [url: string, path: string][] = [
    ["sqlite:tasks.db", "/home/me/project/tasks.db"],
    ["sqlite:data/tasks.db", "/home/me/project/data/tasks.db"],
    ["sqlite:../tasks.db", "/home/me/tasks.db"],
    ["sqlite:/var/tasks.db", "/var/tasks.db"],
    ["sqlite:///var/tasks.db", "/var/tasks.db"],
    ["sqlite::memory:", ":memory:"],
    ["SQLite:tasks.db", "/home/me/project/tasks.db"],
    [" sqlite:a b.db ", "/home/me/project/a b.db"],
  ];
  for (const [url, path] of cases) {
    test(JSON.stringify(url), () => expect(parseAddress(url, ENVIRONMENT, HERE)).toEqual({ dialect: "sqlite", path }));
  }
});

describe("without a URL it is a file in the user's data folder", () => {
  const cases: [environment: Record<string, string>, path: string][] = [
    [{ HOME: "/home/me" }, "/home/me/.local/share/taskonaut/taskonaut.db"],
    [{ HOME: "/home/me", XDG_DATA_HOME: "/data" }, "/data/taskonaut/taskonaut.db"],
    [{ HOME: "/home/me", XDG_DATA_HOME: "" }, "/home/me/.local/share/taskonaut/taskonaut.db"],
    [{ HOME: "/home/me", XDG_DATA_HOME: "relative" }, "/home/me/.local/share/taskonaut/taskonaut.db"],
  ];
  for (const [environment, path] of cases) {
    test(JSON.stringify(environment), () => {
      expect(parseAddress(undefined, environment, HERE)).toEqual({ dialect: "sqlite", path });
      expect(parseAddress("", environment, HERE)).toEqual({ dialect: "sqlite", path });
    });
  }
});

describe("libpq's variables", () => {
  const all = {
    PGHOST: "h",
    PGPORT: "1",
    PGUSER: "me",
    PGPASSWORD: "s c@t",
    PGDATABASE: "d",
    PGSSLMODE: "require",
    PGTARGETSESSIONATTRS: "any",
    PGOPTIONS: "-c a=b",
  };
  const cases: [url: string, whole: string][] = [
    ["postgres:///", "postgres:///?dbname=d&host=h&OWN&user=me"],
    ["postgres://you:pw@host:2/name", "postgres://you:pw@host:2/name?OWN"],
    ["postgres://you@host/name", "postgres://you@host/name?OWN"],
    [
      "postgres:///name?host=a&user=b&sslmode=disable&options=x",
      "postgres:///name?host=a&user=b&sslmode=disable&options=x&OWN",
    ],
  ];
  for (const [url, whole] of cases) {
    test(`say what ${url} does not`, () => {
      const address = parseAddress(url, { ...ENVIRONMENT, ...all }, HERE);
      const parametersOf = (text: string): string[] =>
        [...new URLSearchParams(text.split("?")[1])].map(String).toSorted();
      const { url: read = "" } = address as { readonly url?: string };
      const has = (name: string): boolean => new RegExp(`[?&]${name}=`).test(url);
      const own = [
        !has("options") && "options=-c%20a%3Db",
        !/:pw@/.test(url) && "password=s%20c%40t",
        "port=1",
        !has("sslmode") && "sslmode=require",
        "target_session_attrs=any",
      ];
      const expected = whole.replace("OWN", own.filter(Boolean).join("&"));
      expect(read.split("?")[0]).toBe(expected.split("?")[0]);
      expect(parametersOf(read)).toEqual(parametersOf(expected));
      expect(read).not.toContain("+");
    });
  }

  test("change nothing where there are none, and nothing of a file", () => {
    const { url } = parseAddress("postgres://a:b@c/d", ENVIRONMENT, HERE) as { readonly url?: string };
    expect(url).toBe("postgres://a:b@c/d");
    expect(parseAddress("sqlite:x", { ...ENVIRONMENT, ...all }, HERE)).toEqual(
      parseAddress("sqlite:x", ENVIRONMENT, HERE),
    );
  });
});

describe("a PostgreSQL server", () => {
  const cases: [url: string, cleaned: string, display: string][] = [
    ["postgres://me:secret@host:5433/name", "postgres://me:secret@host:5433/name", "postgres://me@host:5433/name"],
    ["postgresql://host/name", "postgres://host/name", "postgres://host/name"],
    ["postgresql+psycopg://me:secret@host/name", "postgres://me:secret@host/name", "postgres://me@host/name"],
    ["postgresql+asyncpg://host/name", "postgres://host/name", "postgres://host/name"],
    ["postgres://me:a%40b@h/n?sslmode=require", "postgres://me:a%40b@h/n?sslmode=require", "postgres://me@h/n"],
    ["postgres://h/n?password=secret", "postgres://h/n?password=secret", "postgres://h/n"],
    ["postgres://me:secret@/n?host=/run", "postgres://me:secret@/n?host=/run", "postgres://me@/n"],
    ["postgres://me:secret@a:1,b:2/n", "postgres://me:secret@a:1,b:2/n", "postgres://me@a:1/n"],
    ["postgres://me:12,34secret@h/n", "postgres://me:12,34secret@h/n", "postgres://me@h/n"],
    ["postgres://me@h/n?dbname=o%20p", "postgres://me@h/n?dbname=o%20p", "postgres://me@h/o%20p"],
    ["postgres:///?dbname=o&user=u%40v", "postgres:///?dbname=o&user=u%40v", "postgres://u%40v@/o"],
    ["postgres://me:se@cr,et@a,b/n", "postgres://me:se@cr,et@a,b/n", "postgres://me@a/n"],
  ];
  for (const [url, cleaned, display] of cases) {
    test(url, () => {
      const address = parseAddress(url, ENVIRONMENT, HERE);
      expect(address).toEqual({ dialect: "postgres", url: cleaned, schema: "taskonaut" });
      expect(displayServer(cleaned)).toBe(display);
    });
  }
});

test("a server's tables are in the schema of TASKONAUT_SCHEMA, where that is set", () => {
  const schemaOf = (schema: string) =>
    parseAddress("postgres://h/n", { ...ENVIRONMENT, TASKONAUT_SCHEMA: schema }, HERE);
  expect(schemaOf("mine")).toMatchObject({ schema: "mine" });
  expect(schemaOf("")).toMatchObject({ schema: "taskonaut" });
});

describe("anything else is a usage error that names the forms and no password", () => {
  const wrong = [
    "tasks.db",
    "/var/tasks.db",
    "mysql://me:secret@host/name",
    "sqlite:",
    "sqlite://host/tasks.db",
    "sqlite:folder/",
    "sqlite:a\0b",
    "postgres:name",
    "postgres://me:sec ret@ho st/name",
    "postgres://me:secret@host:port/name",
    "postgres://me:secret%@host/name",
    "postgres://me:secret%@127.0.0.1/name",
    "postgres://me:123/secret@host/name",
    "postgres://me:12#secret@host/name",
    "postgres://me:12?secret@host/name",
    "postgres://host/name?password=12#secret",
    "http://host",
  ];
  for (const url of wrong) {
    test(JSON.stringify(url), () => {
      const parse = () => parseAddress(url, ENVIRONMENT, HERE);
      expect(parse).toThrow(expect.objectContaining({ code: "usage" }));
      expect(parse).toThrow(/sqlite:|postgres:/);
      expect(parse).not.toThrow(/secret|sec ret/);
    });
  }
});

test("no four characters of a password are ever shown, whatever is in it", () => {
  // Letters that neither the rest of the URL nor the message has; the rest is what a URL is made of.
  const character = fc.constantFrom(...Array.from("QZJX79/?#@:,%&=;+[]\\ ."));
  fc.assert(
    fc.property(
      fc.string({ unit: character, minLength: 4, maxLength: 12 }),
      fc.constantFrom("h/db", "h:5432/db?sslmode=require", "a:1,b:2/db", "[::1]/db", "h", "/db?host=/run"),
      (password, server) => {
        const shown = show(`postgres://u:${password}@${server}`);
        for (let start = 0; start + 4 <= password.length; start++) {
          const part = password.slice(start, start + 4);
          if (/[QZJX]/.test(part)) expect(shown).not.toContain(part);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

/** What a person sees of the URL: its display, or the reason why there is none. */
function show(url: string): string {
  try {
    return displayServer(url);
  } catch (error) {
    expect(error).toMatchObject({ code: "usage" });
    return String(error);
  }
}

// The address of a store, read from the database URL. It is plain data, so it can be passed to other threads and
// processes. The environment is a parameter, so that a test controls it.

import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

import { TaskonautError } from "../core/errors.ts";
import { withVariables } from "./libpq-variables.ts";

export interface SqliteAddress {
  readonly dialect: "sqlite";
  /** A file, absolute, or `:memory:`. */
  readonly path: string;
}

export interface PostgresAddress {
  readonly dialect: "postgres";
  /** `postgres://…`, with its password, if any. */
  readonly url: string;
  /** The schema that holds all tables. */
  readonly schema: string;
}

export type StoreAddress = SqliteAddress | PostgresAddress;

type Environment = Readonly<Record<string, string | undefined>>;

const FORMS = [
  "sqlite:tasks.db",
  "sqlite:///home/me/tasks.db",
  "sqlite::memory:",
  "postgres://user:password@host:5432/database",
].join(", ");

/**
 * Reads a database URL: `sqlite:<path>`, `sqlite:///<absolute path>`, `sqlite::memory:`, `postgres://…` or
 * `postgresql://…`, also with a driver as SQLAlchemy writes it (`postgresql+psycopg://…`). Undefined or empty: a file
 * in the user's data folder. A relative path is resolved in `currentFolder` at once, because user code may change the
 * folder later. TASKONAUT_SCHEMA names the schema. Throws `usage` for anything else; the message shows no password.
 */
export function parseAddress(
  databaseUrl: string | undefined,
  environment: Environment,
  currentFolder: string,
): StoreAddress {
  const url = databaseUrl?.trim() ?? "";
  if (url === "") return { dialect: "sqlite", path: defaultPath(environment) };
  const scheme = /^([a-z]+)(?:\+[a-z0-9_]+)?:/i.exec(url);
  const rest = url.slice(scheme?.[0].length ?? 0);
  switch (scheme?.[1]?.toLowerCase()) {
    case "sqlite":
      return { dialect: "sqlite", path: parsePath(rest, currentFolder) };
    case "postgres":
    case "postgresql":
      return parseServer(rest, environment);
    default:
      throw new TaskonautError("usage", `The database URL has an unknown form. Known are: ${FORMS}.`);
  }
}

/** `$XDG_DATA_HOME/taskonaut/taskonaut.db`; a relative XDG_DATA_HOME is ignored, as its specification demands. */
function defaultPath(environment: Environment): string {
  const dataHome = environment["XDG_DATA_HOME"];
  const folder = dataHome?.startsWith("/") ? dataHome : join(homeOf(environment), ".local", "share");
  return join(folder, "taskonaut", "taskonaut.db");
}

function homeOf(environment: Environment): string {
  const home = environment["HOME"];
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    return homedir();
  } catch (cause) {
    throw new TaskonautError(
      "usage",
      "This user has no home folder for a database. Set HOME, or name a database with --database-url or DATABASE_URL, such as sqlite:/var/lib/taskonaut/tasks.db.",
      { cause },
    );
  }
}

/** `tasks.db`, `/abs/tasks.db`, `///abs/tasks.db`; `//tasks.db` would name a host, which SQLite does not have. */
function parsePath(rest: string, currentFolder: string): string {
  const path = rest.startsWith("///") ? rest.slice(2) : rest;
  if (path === "" || path.startsWith("//") || path.includes("\0") || path.endsWith("/")) {
    throw new TaskonautError("usage", `The database URL sqlite:${rest} names no file. Known forms are: ${FORMS}.`);
  }
  return path === ":memory:" ? path : resolve(currentFolder, path);
}

function parseServer(rest: string, environment: Environment): PostgresAddress {
  const url = `postgres:${rest}`;
  displayServer(url); // a URL that cannot be shown is refused
  const { login, hosts, path, query } = splitServer(url);
  const parameters = withVariables(query, { hosts, ...splitLogin(login), database: path.slice(1) }, environment);
  const whole = parameters === query ? url : `postgres://${login}${hosts}${path}?${parameters}`;
  return { dialect: "postgres", url: whole, schema: environment["TASKONAUT_SCHEMA"] || "taskonaut" };
}

/** No other thread, and no other process, can reach it. */
export function isInMemory(address: StoreAddress): boolean {
  return address.dialect === "sqlite" && address.path === ":memory:";
}

/** The URL of a PostgreSQL database for people: without password and without parameters. Throws `usage`. */
export function displayServer(url: string): string {
  const { login, hosts, path, query } = splitServer(url);
  // The parser refuses several hosts (`a:5432,b:5432`): the first one stands for all.
  const [first = ""] = hosts.split(",");
  // It also refuses a URL without a host (`user@/name?host=/run/postgresql`).
  const parsed = URL.parse(`postgres://${login}${first === "" && login !== "" ? "none" : first}${path}`);
  if (!parsed || ![parsed.username, parsed.password, hosts, path].every(isDecodable)) throw unreadable();
  // as in libpq, parameters count more than the parts before them
  const parameters = new URLSearchParams(query);
  const said = (name: string, part: string): string => encodeURIComponent(parameters.get(name) ?? "") || part;
  const name = said("user", parsed.username);
  const database = said("dbname", parsed.pathname.slice(1));
  const user = name === "" ? "" : `${name}@`;
  return `postgres://${user}${first === "" ? "" : parsed.host}${database === "" ? parsed.pathname : `/${database}`}`;
}

interface ServerParts {
  /** `user:password@` or empty; an @ or a comma within is escaped. */
  readonly login: string;
  /** As in the URL: `host:5432`, several with commas between. */
  readonly hosts: string;
  /** With its slash, or empty. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
}

/**
 * The parts of the URL of a PostgreSQL database. Throws `usage` if a character of the password could be taken for its
 * end: the rest would be shown as a host or a database.
 */
export function splitServer(url: string): ServerParts {
  const [whole, login = "", hosts = "", path = "", query = ""] = PARTS.exec(url) ?? [];
  if (whole === undefined) throw unreadable();
  return { login: login.replace(/[@,](?!$)/g, encodeURIComponent), hosts, path, query };
}

/** As written in the URL; empty if missing. */
export function splitLogin(login: string): { readonly user: string; readonly password: string } {
  const [, user = "", password = ""] = /^([^:]*)(?::(.*))?@$/.exec(login) ?? [];
  return { user, password };
}

/** A login ends at the last @, and no @ comes after it; there is no fragment. */
const PARTS = /^[a-z]+:\/\/([^/?#]*@)?([^/?#@]*)(\/[^?#@]*)?(?:\?([^#@]*))?$/;

export function unreadable(): TaskonautError {
  return new TaskonautError(
    "usage",
    "The PostgreSQL URL cannot be read. It looks like postgres://user:password@host:5432/database; in names, passwords and parameters, characters such as @ : / ? # % are written as %40 %3A %2F %3F %23 %25.",
  );
}

/** A common mistake: a % in a password that is not escaped. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

// The parameters of a PostgreSQL URL. URLs are pasted from providers and other programs: libpq's parameters work, or
// are refused by name; parameters of other programs are ignored; all others are refused by name. postgres.js would send
// unknown ones to the server, a password included.
//
// Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS

import { TaskonautError } from "../../core/errors.ts";
import { variableOf } from "../libpq-variables.ts";
import { readTls, type Tls } from "./tls-settings.ts";

export interface UrlParameters {
  readonly host: string | undefined;
  /** Addresses for the hosts, so that no name is looked up. */
  readonly hostaddr: string | undefined;
  readonly port: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** Undefined: not set, or 0, which is no limit. */
  readonly connectMs: number | undefined;
  /** Undefined: no TLS. */
  readonly tls: Tls | undefined;
  /** Parameters that postgres.js reads itself, or sends to the server. */
  readonly kept: URLSearchParams;
}

const OWN = ["host", "hostaddr", "port", "user", "password", "dbname", "connect_timeout"];
const TLS = ["ssl", "sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey", "sslpassword"];
const KEPT = ["application_name", "options", "target_session_attrs"];

const SESSION_ATTRIBUTES = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

/** libpq's parameters without a meaning here: their effect holds in any case, or cannot be changed. */
const NEEDLESS = [
  "channel_binding",
  "client_encoding",
  "fallback_application_name",
  "gssdelegation",
  "gssencmode",
  "gsslib",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "krbsrvname",
  "load_balance_hosts",
  "max_protocol_version",
  "min_protocol_version",
  "sslcertmode",
  "sslcompression",
  "sslsni",
  "tcp_user_timeout",
];

/** libpq's parameters that are not available here: ignoring them would give less than was asked for. */
const REFUSED = [
  "oauth_client_id",
  "oauth_client_secret",
  "oauth_issuer",
  "oauth_scope",
  "passfile",
  "replication",
  "require_auth",
  "requirepeer",
  "requiressl",
  "scram_client_key",
  "scram_server_key",
  "service",
  "servicefile",
  "ssl_max_protocol_version",
  "ssl_min_protocol_version",
  "sslcrl",
  "sslcrldir",
  "sslkeylogfile",
];

/**
 * Parameters of Prisma, Supabase, JDBC, node-postgres, SQLAlchemy, pgx and others: for those programs, not for the
 * server.
 */
const FOREIGN = [
  "ApplicationName",
  "async_fallback",
  "autosave",
  "binary_parameters",
  "connection_limit",
  "currentSchema",
  "default_query_exec_mode",
  "idle_timeout",
  "max_lifetime",
  "pgbouncer",
  "pool",
  "pool_max_conns",
  "pool_min_conns",
  "pool_mode",
  "pool_timeout",
  "prepareThreshold",
  "prepared_statement_cache_size",
  "preparedStatements",
  "reWriteBatchedInserts",
  "schema",
  "socket_timeout",
  "sslaccept",
  "statement_cache_capacity",
  "statement_cache_mode",
  "statement_cache_size",
  "stringtype",
  "supa",
  "uselibpqcompat",
  "workaround",
];

/** Throws `usage` with the name of an unavailable parameter; never with a value, which may be a secret. */
export function readUrlParameters(query: string): UrlParameters {
  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    if (![OWN, TLS, KEPT, NEEDLESS, FOREIGN].some((names) => names.includes(name))) throw unknown(name);
  }
  const value = (name: string): string | undefined => given.get(name) || undefined;
  const kept = new URLSearchParams();
  for (const name of KEPT) {
    const text = value(name);
    if (text !== undefined) kept.set(name, text);
  }
  const attributes = value("target_session_attrs");
  if (attributes !== undefined && !SESSION_ATTRIBUTES.includes(attributes))
    throw wrong("target_session_attrs", `one of ${SESSION_ATTRIBUTES.join(", ")}`);
  if (!/^-?\d{1,9}(?:\.\d{1,9})?$/.test(value("connect_timeout") ?? "0"))
    throw wrong("connect_timeout", "a number of seconds");
  if (attributes === "any") kept.delete("target_session_attrs"); // libpq's word for its default
  return {
    host: value("host"),
    hostaddr: value("hostaddr"),
    port: value("port"),
    user: value("user"),
    password: value("password"),
    database: value("dbname"),
    connectMs: 1000 * Math.max(Number(value("connect_timeout") ?? 0), 0) || undefined,
    tls: readTls(value),
    kept,
  };
}

function wrong(name: string, wanted: string): TaskonautError {
  const variable = variableOf(name);
  const where = `The parameter ${name} of the PostgreSQL URL${variable === undefined ? "" : `, or ${variable}`},`;
  return new TaskonautError("usage", `${where} is ${wanted}.`, {
    details: { parameter: name },
  });
}

function unknown(name: string): TaskonautError {
  if (REFUSED.includes(name)) {
    const message = `The PostgreSQL URL has a parameter that taskonaut does not support: ${name}. Remove it.`;
    return new TaskonautError("usage", message, { details: { parameter: name } });
  }
  const advice = /^[a-z_]+$/.test(name)
    ? `A setting of the server is written options=-c%20${name}%3D<value>.`
    : "Remove it.";
  return new TaskonautError(
    "usage",
    `The PostgreSQL URL has a parameter that taskonaut does not know: ${name.slice(0, 60)}. ${advice}`,
    { details: { parameter: name } },
  );
}

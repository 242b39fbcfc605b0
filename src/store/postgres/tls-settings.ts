// What a PostgreSQL URL says of TLS, in libpq's words.
//
// Source: https://www.postgresql.org/docs/current/libpq-ssl.html

import { readFileSync } from "node:fs";

import { TaskonautError } from "../../core/errors.ts";

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof MODES)[number];

/** The names in JDBC, node-postgres and others. */
const SSL: Readonly<Record<string, Mode>> = {
  true: "require",
  "1": "require",
  "no-verify": "require",
  false: "disable",
  "0": "disable",
};

export interface Tls {
  /** If the server offers no TLS: continue without, instead of failing. */
  readonly isOptional: boolean;
  /** What is checked of the server's certificate: nothing, its signer, or also its host. */
  readonly checks: "nothing" | "signer" | "host";
  /** Certificates of the accepted signers (PEM); undefined: the ones that the system trusts. */
  readonly ca: string | undefined;
  /** Our own certificate and its key (PEM). */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
  /** Without asking the server first. */
  readonly isDirect: boolean;
}

/** Undefined: without TLS. Throws `usage` for an unknown word, and for a file that cannot be read. */
export function readTls(value: (name: string) => string | undefined): Tls | undefined {
  const mode = readMode(value);
  const negotiation = readNegotiation(value("sslnegotiation"), mode);
  if (mode === "disable") return undefined;
  const root = value("sslrootcert");
  const ca = root === undefined || root === "system" ? undefined : readPem("sslrootcert", root);
  return {
    isOptional: mode === "allow" || mode === "prefer",
    checks: mode === "verify-full" ? "host" : mode === "verify-ca" || (mode === "require" && ca) ? "signer" : "nothing",
    ca,
    cert: readPem("sslcert", value("sslcert")),
    key: readPem("sslkey", value("sslkey")),
    passphrase: value("sslpassword"),
    isDirect: negotiation === "direct",
  };
}

function readMode(value: (name: string) => string | undefined): Mode {
  const word = value("sslmode") ?? value("ssl");
  const given = word === undefined ? undefined : (SSL[word] ?? word);
  // naming a trusted signer means that it is to be checked
  if (value("sslrootcert") === "system") return isMode(given) && given === "disable" ? given : "verify-full";
  if (given === undefined) return "disable";
  if (isMode(given)) return given;
  throw usage(`sslmode is one of ${MODES.join(", ")}`);
}

function isMode(word: string | undefined): word is Mode {
  return MODES.some((mode) => mode === word);
}

function readNegotiation(word: string | undefined, mode: Mode): "postgres" | "direct" {
  if (word === undefined || word === "postgres") return "postgres";
  if (word !== "direct") throw usage("sslnegotiation is postgres or direct");
  if (mode === "allow" || mode === "prefer") throw usage("sslnegotiation=direct needs sslmode=require or stricter");
  return "direct";
}

function readPem(name: string, path: string): string;
function readPem(name: string, path: string | undefined): string | undefined;
function readPem(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usage(`the file of ${name} cannot be read (${reason})`, cause);
  }
}

function usage(what: string, cause?: unknown): TaskonautError {
  return new TaskonautError(
    "usage",
    `The PostgreSQL URL, or a PGSSL… variable, asks for TLS in a way that cannot be: ${what}.`,
    { cause },
  );
}

// The way to the server in a PostgreSQL URL, where postgres.js reads it differently from libpq.

import { splitLogin, splitServer, unreadable } from "../address.ts";
import type { Tls } from "./tls-settings.ts";
import { systemUser } from "./system-user.ts";
import { readUrlParameters } from "./url-parameters.ts";

export interface ServerAddress {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** The IP address to connect to, if the host's name is not to be looked up. */
  readonly place?: string;
}

export interface ServerUrl {
  /** Without the parameters that are handled here. */
  readonly url: string;
  /** In the order in which they are to be tried; empty if the URL names no host. */
  readonly addresses: readonly ServerAddress[];
  /** The URL's parameters, which override its other parts. */
  readonly login: { readonly user?: string; readonly password?: string; readonly database?: string };
  /** Undefined: without TLS. */
  readonly tls: Tls | undefined;
  /** How long each address has to answer, if the URL says so. */
  readonly connectMs: number | undefined;
  /** The required kind of server (`target_session_attrs`); undefined: any. */
  readonly wanted: string | undefined;
}

/**
 * Supports several hosts (`a:5432,b:5432`), and `?host=…&port=…`, which may name the folder of a Unix socket. Throws
 * `usage`.
 */
export function parseServerUrl(url: string): ServerUrl {
  const { login, hosts, path, query } = splitServer(url);
  const { host, hostaddr, port, user, password, database, tls, connectMs, kept } = readUrlParameters(query);
  // postgres.js does not accept a login without a host
  const own = splitLogin(hosts === "" ? login : "");
  const address = `postgres://${hosts === "" ? "" : login}${hosts}${path}`;
  const isNamed = splitLogin(login).user !== "";
  const name = user ?? (isNamed ? decodeURIComponent(own.user) : systemUser());
  const given = { user: name, password: password ?? decodeURIComponent(own.password) };
  return {
    url: kept.size === 0 ? address : `${address}?${kept.toString()}`,
    addresses: parseAddresses(
      { hosts: host ?? decodeURIComponent(hosts), isParameter: host !== undefined },
      hostaddr,
      port,
    ),
    login: {
      ...(given.user && { user: given.user }),
      ...(given.password && { password: given.password }),
      ...(database && { database }),
    },
    tls,
    connectMs,
    wanted: kept.get("target_session_attrs") ?? undefined,
  };
}

const PORT_MAX = 65_535;

/** The `hosts` of a URL have their ports, which a parameter has not. */
function parseAddresses(
  { hosts, isParameter }: { readonly hosts: string; readonly isParameter: boolean },
  hostaddr: string | undefined,
  port: string | undefined,
): ServerAddress[] {
  const given = hosts === "" ? (hostaddr ?? "") : hosts;
  if (given === "") return [];
  const places = hostaddr?.split(",") ?? [];
  const ports = port?.split(",") ?? [];
  return given.split(",").map((text, index) => {
    // the folder of a socket may have colons: /cloudsql/project:region:instance
    const form = isParameter && text.startsWith("/") ? /^(.*)$/ : /^(\/.*?|\[.*\]|[^:]*)(?::(\d+))?$/;
    const [whole, name = "", ownPort] = form.exec(text) ?? [];
    const host = name.replace(/^\[|\]$/g, "");
    const place = places[index];
    // as in libpq, if it finds no socket
    const isDefault = host === "" && place === undefined;
    const number = Number((ownPort ?? ports[index] ?? ports[0]) || 5432);
    if (whole === undefined || !(Number.isInteger(number) && number >= 1 && number <= PORT_MAX)) throw unreadable();
    return {
      host: isDefault ? "localhost" : host,
      port: number,
      ...(place !== undefined && place !== host && { place }),
    };
  });
}

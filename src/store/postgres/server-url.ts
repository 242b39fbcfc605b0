// What a PostgreSQL URL says of the way to the server, where postgres.js reads it otherwise than libpq does.

import { splitServer } from "../location.ts";

export interface ServerAddress {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

export interface ServerUrl {
  /** Without the parameters that are dealt with here. */
  readonly url: string;
  /** In the order in which they are to be tried; empty where the URL names no host. */
  readonly addresses: readonly ServerAddress[];
}

/** Parameters that libpq keeps to itself: postgres.js would send them to the server, which refuses them. */
const FOREIGN = ["channel_binding", "gssencmode", "sslcompression", "sslsni", "host", "port"];

/** Throws `usage`. Knows several hosts (`a:5432,b:5432`), and `?host=…&port=…`, which may name the folder of a Unix socket. */
export function parseServerUrl(url: string): ServerUrl {
  const { login, hosts, path, query } = splitServer(url);
  const parameters = new URLSearchParams(query);
  const addresses = parseAddresses(parameters.get("host") ?? hosts, parameters.get("port"));
  for (const name of FOREIGN) parameters.delete(name);
  const address = `postgres://${login}${hosts}${path}`;
  return { url: parameters.size === 0 ? address : `${address}?${parameters.toString()}`, addresses };
}

function parseAddresses(hosts: string, port: string | null): ServerAddress[] {
  if (hosts === "") return [];
  return hosts.split(",").map((text) => {
    const [, host = "", ownPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(decodeURIComponent(text)) ?? [];
    return { host: host.replace(/^\[|\]$/g, ""), port: Number(ownPort ?? port ?? 5432) };
  });
}

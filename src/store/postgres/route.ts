// The ways to a server: all hosts of a URL, and all addresses of a host's name, in their order.
//
// PR1. Each place has its own time, so that a silent place does not keep the ones after it from being tried.
// PR2. A connection goes to the place of the last success. If there was none (it failed, or `target_session_attrs` was
//      not met), it begins after the place that was tried last, across all connections of a client.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

import type { ServerAddress } from "./server-url.ts";

export interface Place {
  /** As written in the URL, and in the certificate. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** When it must have answered; undefined: it is the only one, and has all of the caller's time. */
  readonly timeMs: number | undefined;
}

/** If the URL does not set it (`connect_timeout`). */
const TIME_MS_MAX = 3000;

interface Limits {
  /** The hosts of the URL. */
  readonly connectMs: number | undefined;
  /** The deadline of a call: all places should have had their turn by then. */
  readonly deadlineMs: number;
}

export class Route {
  #last: { readonly place: Place; readonly served: boolean } | undefined;

  /** `addresses`: empty: the address that postgres.js has found. */
  constructor(
    private readonly addresses: readonly ServerAddress[],
    private readonly limits: Limits,
  ) {}

  /** In the order in which they are to be tried now. Rejects if none of the names is known. */
  async places(fallback: { readonly host: string; readonly port: number }): Promise<readonly Place[]> {
    const addresses = this.addresses.length > 0 ? this.addresses : [fallback];
    const found = await Promise.allSettled(addresses.map(resolve));
    const all = found.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    const failed = found.find((each) => each.status === "rejected");
    if (all.length === 0 && failed) throw failed.reason;
    const { connectMs, deadlineMs } = this.limits;
    const timeMs = connectMs ?? (all.length > 1 ? Math.min(TIME_MS_MAX, deadlineMs / (all.length + 1)) : undefined);
    const places = all.map((place) => ({ ...place, timeMs }));
    const last = this.#last;
    const at = last ? places.findIndex((place) => isSame(place, last.place)) : -1;
    const first = last && at >= 0 ? at + (last.served ? 0 : 1) : 0;
    return [...places.slice(first), ...places.slice(0, first)];
  }

  noteTried(place: Place): void {
    this.#last = { place, served: false };
  }

  /** Whether the place that was tried last accepted the connection, and answered no call yet. */
  get isUnserved(): boolean {
    return this.#last?.served === false;
  }

  noteServed(place: Place): void {
    this.#last = { place, served: true };
  }
}

async function resolve({ host, port, place }: ServerAddress): Promise<Omit<Place, "timeMs">[]> {
  const name = place ?? host;
  if (isIP(name) !== 0) return [{ host, address: name, port }];
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => ({ host, address, port }));
}

function isSame(a: Place, b: Place): boolean {
  return a.address === b.address && a.port === b.port;
}

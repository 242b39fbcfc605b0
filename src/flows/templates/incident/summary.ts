// What happened, in numbers.

import * as v from "valibot";
import type { Request } from "./access-log.ts";

export const Summary = v.object({
  requests: v.number(),
  /** Lines that are not in the format. */
  unreadable: v.number(),
  bytes: v.number(),
  from: v.nullable(v.string()),
  to: v.nullable(v.string()),
  /** By class: 2xx, 3xx, 4xx, 5xx. */
  statuses: v.record(v.string(), v.number()),
  clients: v.number(),
  topClients: v.array(v.object({ ip: v.string(), requests: v.number(), errors: v.number() })),
  /** Minutes with far more requests than the usual one. */
  bursts: v.array(v.object({ minute: v.string(), requests: v.number(), usual: v.number() })),
});
export type Summary = v.InferOutput<typeof Summary>;

const TOP_CLIENTS = 10;
const BURSTS_MAX = 20;
/** A burst has this many times the requests of the median minute, and at least BURST_REQUESTS_MIN. */
const BURST_FACTOR = 5;
const BURST_REQUESTS_MIN = 50;
const MINUTE_MS = 60_000;

export async function summarise(requests: AsyncIterable<Request | undefined>): Promise<Summary> {
  const statuses = new Map<string, number>();
  const clients = new Map<string, { requests: number; errors: number }>();
  const minutes = new Map<number, number>();
  let [count, unreadable, bytes, from, to] = [0, 0, 0, Infinity, -Infinity];
  for await (const request of requests) {
    if (!request) {
      unreadable++;
      continue;
    }
    count++;
    bytes += request.bytes;
    from = Math.min(from, request.time);
    to = Math.max(to, request.time);
    raise(statuses, `${Math.floor(request.status / 100)}xx`);
    raise(minutes, Math.floor(request.time / MINUTE_MS));
    const client = clients.get(request.ip) ?? { requests: 0, errors: 0 };
    client.requests++;
    if (request.status >= 400) client.errors++;
    clients.set(request.ip, client);
  }
  return {
    requests: count,
    unreadable,
    bytes,
    from: count > 0 ? new Date(from).toISOString() : null,
    to: count > 0 ? new Date(to).toISOString() : null,
    statuses: Object.fromEntries([...statuses].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    clients: clients.size,
    topClients: [...clients]
      .map(([ip, client]) => ({ ip, ...client }))
      .toSorted((a, b) => b.requests - a.requests || (a.ip < b.ip ? -1 : 1))
      .slice(0, TOP_CLIENTS),
    bursts: findBursts(minutes),
  };
}

function findBursts(minutes: ReadonlyMap<number, number>): Summary["bursts"] {
  const counts = [...minutes.values()].toSorted((a, b) => a - b);
  const usual = counts[Math.floor(counts.length / 2)] ?? 0;
  const least = Math.max(usual * BURST_FACTOR, BURST_REQUESTS_MIN);
  return [...minutes]
    .filter(([, requests]) => requests >= least)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, BURSTS_MAX)
    .map(([minute, requests]) => ({ minute: new Date(minute * MINUTE_MS).toISOString(), requests, usual }));
}

function raise<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

// URLs with several hosts, some of which are silent: they accept a connection, or not even that, and say nothing.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";

import { PostgresClient } from "../../src/store/postgres/connection.ts";
import { postgresBench } from "./postgres-bench.ts";

const bench = postgresBench();

/** Of a call; a silent host is to cost less. */
const DEADLINE_MS = 2500;

let open: (() => unknown)[];
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((close) => close()));
});

interface Silent {
  readonly host: string;
  /** How many connections it has taken. */
  readonly taken: () => number;
}

async function silentHost(): Promise<Silent> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It has no port.");
  return { host: `127.0.0.1:${address.port}`, taken: () => sockets.length };
}

function client(
  hosts: readonly string[],
  parameters: Record<string, string> = {},
  deadlineMs = DEADLINE_MS,
): PostgresClient {
  const url = new URL(bench.url);
  const query = new URLSearchParams(parameters).toString();
  const text = `postgres://${url.username}:${url.password}@${hosts.join(",")}${url.pathname}?${query}`;
  const made = new PostgresClient({ url: text, connectionsMax: 1, deadlineMs });
  open.push(() => made.close());
  return made;
}

const healthy = (): string => new URL(bench.url).host;

test("a silent first host is left in its time, and not tried again while the second serves", async () => {
  const silent = await silentHost();
  const hosts = client([silent.host, healthy()], { connect_timeout: "0.3" });
  const began = performance.now();
  expect(await hosts.query("select 1 as one")).toEqual([{ one: 1 }]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  expect(silent.taken()).toBe(1);
  // its connection is lost, and the next one goes the same way
  for (let losses = 0; losses < 2; losses++) {
    await hosts.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
    expect(await hosts.read("select 1 as one")).toEqual([{ one: 1 }]);
  }
  expect(silent.taken()).toBe(1);
});

test("without a time in the URL every host has its turn within the call", async () => {
  const silent = [await silentHost(), await silentHost()];
  const hosts = client([...silent.map(({ host }) => host), healthy()]);
  expect(await hosts.query("select 1 as one")).toEqual([{ one: 1 }]);
  expect(silent.map(({ taken }) => taken())).toEqual([1, 1]);
});

test("a call that ran out of time leaves the next one to begin where it stopped", async () => {
  const silent = await silentHost();
  const hosts = client([silent.host, healthy()], { connect_timeout: "60" });
  await expect(hosts.query("select 1")).rejects.toMatchObject({ code: "database_unavailable" });
  expect(await hosts.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("hosts that refuse are passed over, and so is one that takes writes not, where that is asked for", async () => {
  const name = new URL(bench.url).pathname.slice(1);
  expect(await client(["127.0.0.1:1", healthy()]).query("select 1 as one")).toEqual([{ one: 1 }]);
  const silent = await silentHost();
  for (const attrs of ["any", "read-write", "primary"]) {
    const asked = client([silent.host, healthy()], { connect_timeout: "0.3", target_session_attrs: attrs });
    expect(await asked.query("select 1 as one")).toEqual([{ one: 1 }]);
  }
  const preferring = client([healthy(), healthy()], { target_session_attrs: "prefer-standby" });
  expect(await preferring.query("select 1 as one")).toEqual([{ one: 1 }]);
  await bench.admin.unsafe(`alter database ${name} set default_transaction_read_only = on`);
  try {
    const writing = client([healthy(), healthy()], { target_session_attrs: "read-write" });
    for (const asked of [writing, client([healthy()], { target_session_attrs: "standby" })]) {
      for (const ask of [() => asked.query("select 1"), () => asked.read("select 1")]) {
        await expect(ask()).rejects.toMatchObject({
          code: "database_unavailable",
          message: expect.stringMatching(
            /: no server there is what target_session_attrs=(read-write|standby) asks for\./,
          ),
        });
      }
    }
    const reading = client([silent.host, healthy()], { connect_timeout: "0.3", target_session_attrs: "read-only" });
    expect(await reading.query("select 1 as one")).toEqual([{ one: 1 }]);
  } finally {
    await bench.admin.unsafe(`alter database ${name} reset default_transaction_read_only`);
  }
});

test("where every host refuses, the call says so, and not that its time was up", async () => {
  const refusing = client(["127.0.0.1:1", "127.0.0.1:2"]);
  await expect(refusing.query("select 1")).rejects.toThrow("ECONNREFUSED 127.0.0.1:2");
  await expect(refusing.query("select 1")).rejects.toThrow("ECONNREFUSED");
});

test("a single host has the time that the URL says", async () => {
  const silent = await silentHost();
  // and not that of the call, which is an hour
  const patient = client([silent.host], { connect_timeout: "0.3" }, 3_600_000);
  await expect(patient.query("select 1")).rejects.toMatchObject({ code: "database_unavailable" });
});

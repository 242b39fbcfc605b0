import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StoreAddress } from "../../src/store/address.ts";
import { openStore } from "../../src/store/open.ts";
import { type Place, POSTGRES, SQLITE } from "./place.ts";
import { startProxy } from "../support/proxy.ts";
import { type BlockedWorker, startBlockedWorker } from "../support/blocked-worker.ts";
import { rejection } from "../support/rejection.ts";
import { until } from "../support/until.ts";
import type { Heartbeat } from "../../src/core/heartbeat.ts";
import { type Log, SILENT } from "../../src/core/log.ts";
import type { Store } from "../../src/store/store.ts";
import { type HeartbeatOptions, startHeartbeat } from "../../src/heartbeat/start-heartbeat.ts";

const LEASE_MS = 600;
const NEVER_STUCK_MS = 600_000;

let open: (() => Promise<void>)[] = [];
afterEach(async () => {
  const closing = open.map((close) => close());
  open = [];
  await Promise.all(closing);
});

function blocked(job: Parameters<typeof startBlockedWorker>[0]): BlockedWorker {
  const worker = startBlockedWorker(job);
  open.push(() => worker.end());
  return worker;
}

function beating(
  options: Partial<HeartbeatOptions> & Pick<HeartbeatOptions, "id" | "address">,
  entry?: URL,
): Heartbeat {
  const heartbeat = startHeartbeat(
    {
      name: "test",
      leaseMs: LEASE_MS,
      concurrency: 1,
      onNews: () => {},
      onDead: () => {},
      stuckMs: NEVER_STUCK_MS,
      log: SILENT,
      line: { style: "json", color: false },
      ...options,
    },
    entry,
  );
  open.push(() => heartbeat.stop());
  return heartbeat;
}

/** A path where nothing is, in a folder that goes with the test. */
async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-heartbeat-"));
  open.push(() => rm(folder, { recursive: true }));
  return join(folder, "file");
}

/** A log that keeps the messages of warnings and worse. */
function keeping(kept: string[]): Log {
  const keep = (message: string): void => {
    kept.push(message);
  };
  return { ...SILENT, warn: keep, error: keep };
}

/** The same database, by a way on which no write comes to an end any more once it has gone away. */
async function unreliable(
  address: StoreAddress,
): Promise<{ readonly address: StoreAddress; readonly goAway: () => void }> {
  if (address.dialect === "sqlite") {
    const other = new Database(address.path);
    open.push(async () => other.close());
    return { address, goAway: () => other.run("begin immediate") };
  }
  const proxy = await startProxy(address.url);
  open.push(async () => proxy[Symbol.dispose]());
  return { address: { ...address, url: proxy.url }, goAway: () => proxy.swallow() };
}

async function leaseOf(store: Store, id: string): Promise<number | undefined> {
  const workers = await store.listWorkers();
  return workers.find((worker) => worker.id === id)?.lease_until;
}

describe.each([
  ["sqlite", SQLITE],
  ["postgres", POSTGRES],
] as const)("the heartbeat on %s", (dialect, places) => {
  let place: Place;
  let store: Store;
  beforeAll(async () => {
    place = await places.migrated();
    store = await openStore(place.address);
  }, 120_000);
  afterAll(async () => {
    await store.close();
    await place.drop();
  });

  test("renews the lease while the event loop is blocked, for several leases", async () => {
    const id = Bun.randomUUIDv7();
    const releaseFile = await newFile();
    const worker = blocked({
      address: place.address,
      workerId: id,
      leaseMs: LEASE_MS,
      stuckMs: NEVER_STUCK_MS,
      releaseFile,
    });
    await worker.said("beating");
    await worker.go();
    await worker.said("blocking");
    const blockedAt = await store.now();
    await until(async () => ((await leaseOf(store, id)) ?? 0) > blockedAt + 3 * LEASE_MS);
    // the lease of its registration ended long before
    expect((await store.now()) - blockedAt).toBeGreaterThan(LEASE_MS);
    expect(await store.readWorkerState(id)).toBe("alive");
    await Bun.write(releaseFile, "");
    await worker.said("free");
    await worker.go();
    await worker.said("stopped");
    expect(await worker.exited).toBe(0);
    expect(await worker.stderr()).toBe("");
  });

  test("does not keep the process alive", async () => {
    const releaseFile = await newFile();
    await Bun.write(releaseFile, "");
    const worker = blocked({
      address: place.address,
      workerId: Bun.randomUUIDv7(),
      leaseMs: LEASE_MS,
      stuckMs: NEVER_STUCK_MS,
      releaseFile,
    });
    await worker.said("beating");
    await worker.go();
    await worker.said("free");
    await worker.leave();
    expect(await worker.exited).toBe(0);
    expect(await worker.stderr()).toBe("");
  });

  test("registers the worker, and again where its row is gone", async () => {
    const id = Bun.randomUUIDv7();
    const warnings: string[] = [];
    const heartbeat = beating({ id, address: place.address, log: keeping(warnings) });
    expect(await heartbeat.started).toBe("notified");
    const row = (await store.listWorkers()).find((worker) => worker.id === id);
    expect(row).toMatchObject({ name: "test", concurrency: 1, state: "alive" });
    await store.removeWorker(id);
    await until(async () => (await leaseOf(store, id)) !== undefined);
    await until(() => warnings.includes("the worker's row was gone"));
    // or at once, when it is told so
    await heartbeat.stop();
    const slow = beating({ id, leaseMs: 600_000, address: place.address });
    await slow.started;
    await store.removeWorker(id);
    slow.register();
    await until(async () => (await leaseOf(store, id)) !== undefined);
  });

  test("hears of news, and of the dead", async () => {
    const [id, peer] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    let news = 0;
    const deaths: (readonly string[])[] = [];
    const heartbeat = beating({
      id,
      address: place.address,
      onNews: () => (news += 1),
      onDead: (ids) => deaths.push(ids.filter((each) => each === peer)),
    });
    await heartbeat.started;
    await until(async () => {
      await store.announce();
      return news > 1;
    });
    await store.registerWorker({ id: peer, name: "peer", leaseMs: 1, concurrency: 1 });
    await until(() => deaths.at(-1)?.length === 1);
    await store.removeWorker(peer);
    await until(() => deaths.at(-1)?.length === 0);
  });

  test("that cannot begin says why, and is over", async () => {
    const missing = {
      ...place.address,
      ...(dialect === "postgres" ? { schema: "not_there" } : { path: "/dev/null/x" }),
    };
    const heartbeat = beating({ id: Bun.randomUUIDv7(), address: missing });
    const code = dialect === "postgres" ? "database_behind" : "database_unavailable";
    expect(await rejection(heartbeat.started)).toMatchObject({ name: "TaskonautError", code });
  });

  test("leaves the lease alone once it is stopped", async () => {
    const id = Bun.randomUUIDv7();
    const heartbeat = beating({ id, address: place.address });
    await heartbeat.started;
    const registered = (await leaseOf(store, id)) ?? 0;
    await until(async () => ((await leaseOf(store, id)) ?? 0) > registered);
    await heartbeat.stop();
    const left = (await leaseOf(store, id)) ?? 0;
    await until(async () => (await store.now()) > left);
    expect(await leaseOf(store, id)).toBe(left);
    await heartbeat.stop(); // harmless
  });

  // within a second or so; its write gives up after a third of the lease, which is long after the test's time is up
  test("stops while the database is away, whatever it waits for", async () => {
    const { address, goAway } = await unreliable(place.address);
    const heartbeat = beating({ id: Bun.randomUUIDv7(), leaseMs: 600_000, address });
    await heartbeat.started;
    goAway();
    heartbeat.register();
    await heartbeat.stop();
  }, 30_000);
});

describe("the watchdog of the heartbeat", () => {
  let place: Place;
  beforeAll(async () => {
    place = await SQLITE.migrated();
  });
  afterAll(() => place.drop());

  test("kills a process whose event loop is blocked for too long, and says why", async () => {
    const workerId = Bun.randomUUIDv7();
    const releaseFile = await newFile();
    const worker = blocked({ address: place.address, workerId, leaseMs: LEASE_MS, stuckMs: 800, releaseFile });
    await worker.said("beating");
    await worker.go();
    await worker.exited;
    expect(worker.signalCode()).toBe("SIGKILL");
    const line = JSON.parse(await worker.stderr()) as Record<string, unknown>;
    expect(line).toMatchObject({ level: "error", worker_id: workerId, worker: "blocked", pid: worker.pid });
    expect(line["message"]).toMatch(/^the event loop was blocked for \d+\.\d s; this process is killed/);
  });

  test("lets a process live whose event loop turns, for however long", async () => {
    const workerId = Bun.randomUUIDv7();
    const releaseFile = await newFile();
    await Bun.write(releaseFile, "");
    const store = await openStore(place.address);
    open.push(() => store.close());
    const stuckMs = 800;
    const worker = blocked({ address: place.address, workerId, leaseMs: LEASE_MS, stuckMs, releaseFile });
    await worker.said("beating");
    const beganAt = await store.now();
    await until(async () => ((await leaseOf(store, workerId)) ?? 0) > beganAt + LEASE_MS + 3 * stuckMs);
    await worker.go();
    await worker.said("free");
    await worker.go();
    await worker.said("stopped");
    expect(await worker.exited).toBe(0);
  });

  test("lets a process live that was suspended, even within a blocking call", async () => {
    const releaseFile = await newFile();
    const worker = blocked({
      address: place.address,
      workerId: Bun.randomUUIDv7(),
      leaseMs: LEASE_MS,
      stuckMs: 4000,
      releaseFile,
    });
    await worker.said("beating");
    await worker.go();
    await worker.said("blocking");
    // the watchdog looks once a second, and has noticed by then that the loop does not turn
    await Bun.sleep(2200);
    process.kill(worker.pid, "SIGSTOP");
    await Bun.sleep(4500);
    process.kill(worker.pid, "SIGCONT");
    await Bun.sleep(200);
    await Bun.write(releaseFile, "");
    await worker.said("free");
    await worker.go();
    await worker.said("stopped");
    expect(await worker.exited).toBe(0);
  });
});

describe("the thread of the heartbeat", () => {
  test("is started again where it ended by itself", async () => {
    const entry = `${await newFile()}.mjs`;
    await Bun.write(
      entry,
      `import { parentPort } from "node:worker_threads"; parentPort.postMessage({ kind: "started", news: "notified" }); parentPort.postMessage({ kind: "news" }); throw new Error("lost");`,
    );
    const errors: unknown[] = [];
    let starts = 0;
    beating(
      {
        id: Bun.randomUUIDv7(),
        address: { dialect: "sqlite", path: "unused" },
        log: { ...SILENT, error: (message, fields) => errors.push([message, fields?.["error"]]) },
        onNews: () => {
          starts += 1;
        },
      },
      pathToFileURL(entry),
    );
    await until(() => starts === 2);
    expect(errors[0]).toEqual(["the heartbeat's thread ended; it is started again", "lost"]);
  });
});

// A worker in a process of its own, which lives until it is killed: `bun schedule-child.ts <url> <speed>`. All its time
// passes so many times as fast as on the wall: that of the engine, and that of an SQLite store.

import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/engine/process/system-clock.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { openStore } from "../support/databases.ts";
import { engineOn } from "../support/engine.ts";

const [url = "", speedText = "1", beganText = "0"] = process.argv.slice(2);
const [speed, began] = [Number(speedText), Number(beganText)];

const now = (): number => Math.round(began + (Date.now() - began) * speed);
const clock: Clock = {
  ...systemClock,
  now,
  elapsed: () => systemClock.elapsed() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
};
const isFile = url.startsWith("sqlite:");
const store = isFile ? await openSqliteStore({ path: url.slice("sqlite:".length), now }) : await openStore(url);
const engine = engineOn(store, { clock: isFile ? clock : systemClock, limits: { leaseMs: 3000 } });
await engine.startWorker({ concurrency: 50 });
process.stdout.write("ready\n");

// The thread of a process at a terminal, with the system's own actions for signals.

import { expect, test } from "bun:test";
import { join } from "node:path";

const source = (path: string): string => JSON.stringify(join(import.meta.dir, "..", path));

/** A command whose loop is stuck for a moment while it listens, and for long after it has stopped listening. */
const COMMAND = `
  const { createInterrupts } = await import(${source("cli/interrupts.ts")});
  const { setActivity, whenWatched } = await import(${source("core/flow/activity.ts")});
  const { LateWatchdog } = await import(${source("heartbeat/start-watchdog.ts")});
  const onSignal = (listener) => {
    process.on("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  };
  setActivity(
    new LateWatchdog({
      address: { dialect: "sqlite", file: ":memory:" },
      stuckMs: 60_000,
      flowStuckMs: 60_000,
      line: { style: "json", color: false },
      atTerminal: true,
    }),
  );
  await whenWatched();
  const interrupts = createInterrupts({ onSignal, now: () => performance.now(), stdinIsTTY: true });
  const stop = interrupts.onFirst(() => {});
  await Bun.sleep(1);
  Bun.sleepSync(150);
  stop();
  Bun.sleepSync(600);
  process.exit(0);`;

test("a command that listens no more and whose loop is stuck then is not ended by a signal that nobody sent", async () => {
  const { exited, stderr } = Bun.spawn([process.execPath, "-e", COMMAND], { stderr: "pipe" });
  expect({ exit: await exited, said: await stderr.text() }).toEqual({ exit: 0, said: "" });
});

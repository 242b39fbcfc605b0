// A worker process of its own with a heartbeat, whose event loop blocks when the test wants it.

import { existsSync, writeSync } from "node:fs";
import { SILENT } from "../../src/core/log.ts";
import { startHeartbeat } from "../../src/heartbeat/start-heartbeat.ts";
import type { StoreAddress } from "../../src/store/address.ts";
import { openStore } from "../../src/store/open.ts";

interface Job {
  readonly address: StoreAddress;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly stuckMs: number;
  /** The loop is blocked until this file is there. */
  readonly releaseFile: string;
}

export interface BlockedWorker {
  readonly pid: number;
  /** Resolves when the process has said this word: `beating`, `blocking`, `free`, `stopped`. */
  said(word: string): Promise<void>;
  /** Lets it go on: from `beating` to `blocking`, from `free` to `stopped`. */
  go(): Promise<void>;
  /** Lets it go on from `free`, and end without stopping its heartbeat. */
  leave(): Promise<void>;
  readonly exited: Promise<number>;
  signalCode(): Bun.Subprocess["signalCode"];
  stderr(): Promise<string>;
  /** SIGKILL, where it still lives. */
  end(): Promise<void>;
}

if (import.meta.main) {
  const { address, workerId, leaseMs, stuckMs, releaseFile } = JSON.parse(process.argv[2] ?? "") as Job;
  const store = await openStore(address);
  const heartbeat = startHeartbeat({
    id: workerId,
    name: "blocked",
    leaseMs,
    concurrency: 1,
    onNews: () => {},
    onDead: () => {},
    address,
    stuckMs,
    log: SILENT,
    line: { style: "json", color: false },
  });
  await heartbeat.started;
  const lines = process.stdin[Symbol.asyncIterator]();
  writeSync(1, "beating\n");
  await lines.next();
  writeSync(1, "blocking\n");
  while (!existsSync(releaseFile)) Bun.sleepSync(5);
  writeSync(1, "free\n");
  const { done } = await lines.next();
  if (!done) {
    await heartbeat.stop();
    await store.removeWorker(workerId);
    writeSync(1, "stopped\n");
  }
  await store.close();
  // and nothing keeps the process alive
  process.stdin.destroy();
}

export function startBlockedWorker(job: Job): BlockedWorker {
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(job)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stderr = child.stderr.text();
  let text = "";
  return {
    pid: child.pid,
    async said(word) {
      while (!text.includes(`${word}\n`)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`The worker ended before it said ${word}: ${await stderr}`);
        text += value;
      }
    },
    async go() {
      await child.stdin.write("go\n");
      await child.stdin.flush();
    },
    async leave() {
      await child.stdin.end();
    },
    exited: child.exited,
    signalCode: () => child.signalCode,
    stderr: () => stderr,
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

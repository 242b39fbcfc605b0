// A process under test that stays: `run-app` or `work`, in a process of its own.

import type { Subprocess } from "bun";
import { Transcript } from "./transcript.ts";

export interface Started {
  readonly pid: number;
  /** What it logged so far. */
  readonly stderr: string;
  /** Waits until it logs that, after what the call before waited for (of a server at first: that it listens). */
  see(text: string | RegExp): Promise<RegExpExecArray>;
  /** Waits for the end. */
  ended(): Promise<Ended>;
  /** Sends the signal (SIGTERM if unset) and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface Served extends Started {
  readonly url: string;
}

export interface Ended {
  /** 128 + the number of the signal where one ended it. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What it has written, read as JSON; throws where it has failed. */
export function dataOf({ exit, stdout, stderr }: Ended): unknown {
  if (exit !== 0) throw new Error(`Exit code ${exit}:\n${stderr}`);
  return JSON.parse(stdout) as unknown;
}

export const LISTENING = /Listening on (https?:\/\/[^\s"]+)/;

type Child = Subprocess<"ignore" | "pipe", "pipe", "pipe">;

/** Follows a process that was just started. */
export function follow(child: Child, timeoutMs: number): Started {
  const log = new Transcript(timeoutMs);
  const logged = (async () => {
    for await (const chunk of child.stderr) log.add(chunk);
    log.end();
  })();
  const end = async (): Promise<Ended> => {
    const [exit, stdout] = await Promise.all([child.exited, child.stdout.text(), logged]);
    return { exit, stdout, stderr: log.text };
  };
  let ends: Promise<Ended> | undefined;
  const ended = (): Promise<Ended> => (ends ??= end());
  return {
    pid: child.pid,
    get stderr() {
      return log.text;
    },
    see: (text) => log.see(text),
    ended,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended();
    },
  };
}

/** Returns when it listens; throws with what it logged where it ends instead. */
export async function waitUntilListening(child: Child, timeoutMs: number): Promise<Served> {
  const started = follow(child, timeoutMs);
  const [, url = ""] = await started.see(LISTENING);
  return Object.assign(started, { url });
}

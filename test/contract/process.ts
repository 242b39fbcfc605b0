// Child processes of a test (`child.ts`), from the test's side.

import { join } from "node:path";

import type { StoreAddress } from "../../src/store/address.ts";

export interface Child {
  /** Resolves when the child stands ready. */
  readonly ready: Promise<void>;
  /** Lets it go on. */
  go(): Promise<void>;
  /** What came of it; rejects where it failed. */
  result(): Promise<unknown>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export function startChild(command: string, address: StoreAddress, argument = ""): Child {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "child.ts"), command, JSON.stringify(address), argument],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readMore = async (): Promise<boolean> => {
    const { value, done } = await reader.read();
    text += value ?? "";
    return !done;
  };
  const fail = async (): Promise<never> => {
    throw new Error(`The child process failed: ${await new Response(child.stderr).text()}`);
  };
  const ready = (async () => {
    while (!text.includes("\n")) if (!(await readMore())) await fail();
  })();
  ready.catch(() => {});
  return {
    ready,
    async go() {
      await child.stdin.write("go\n");
      await child.stdin.end();
    },
    async result() {
      await ready;
      while (await readMore());
      if ((await child.exited) !== 0) await fail();
      return JSON.parse(text.trim().split("\n").at(-1) ?? "") as unknown;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Starts `count` children, lets all of them go at once when the last one stands ready, and gives their results. */
export async function runTogether(count: number, start: () => Child): Promise<unknown[]> {
  const children = Array.from({ length: count }, start);
  await Promise.all(children.map((child) => child.ready));
  await Promise.all(children.map((child) => child.go()));
  return Promise.all(children.map((child) => child.result()));
}

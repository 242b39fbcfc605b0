// Child processes of a test that go on all at once, from both sides. One says `ready` when it stands, goes on when its
// standard input says so or ends, and says what came of it, as JSON, on the last line.

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

export function startProcess(file: string, args: readonly string[]): Child {
  const child = Bun.spawn([process.execPath, file, ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
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

/** Lets all of them go at once when the last one stands ready, and gives their results. */
export async function runTogether(children: readonly Child[]): Promise<unknown[]> {
  await Promise.all(children.map((child) => child.ready));
  await Promise.all(children.map((child) => child.go()));
  return Promise.all(children.map((child) => child.result()));
}

/** In the child: says that it is ready, and waits until it may go on. */
export async function awaitGo(): Promise<void> {
  process.stdout.write("ready\n");
  for await (const _ of process.stdin) break;
}

/** In the child: says what came of it, and ends. */
export async function endWith(result: unknown): Promise<never> {
  await Bun.write(Bun.stdout, `${JSON.stringify(result)}\n`);
  process.exit(0);
}

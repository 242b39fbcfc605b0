import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Says what is known of each descriptor, and what the runtime's streams say of it. */
const PROGRAM = `
  import { isatty, WriteStream } from "node:tty";
  import { isTerminal, sizeOf } from ${JSON.stringify(join(import.meta.dir, "terminal.ts"))};
  const { columns, rows } = new WriteStream(2);
  const are = [0, 1, 2].map((each) => [isTerminal(each), isatty(each)]);
  await Bun.write("told.json", JSON.stringify({ are, size: sizeOf(2), streams: { columns, rows } }));`;

/** Of a program in a terminal of this size, whose stdin is /dev/null, and whose stdout is a pipe. */
async function tell(size: string): Promise<Record<string, unknown>> {
  const cwd = await mkdtemp(join(tmpdir(), "taskonaut-terminal-"));
  try {
    await Bun.write(join(cwd, "tell.ts"), PROGRAM);
    const script = `stty ${size}; "$0" tell.ts </dev/null | cat`;
    const child = Bun.spawn(["sh", "-c", script, process.execPath], { cwd, terminal: {} });
    await child.exited;
    child.terminal?.close();
    return (await Bun.file(join(cwd, "told.json")).json()) as Record<string, unknown>;
  } finally {
    await rm(cwd, { recursive: true });
  }
}

test("a terminal and its size are known as the runtime's streams know them", async () => {
  expect(await tell("cols 91 rows 17")).toEqual({
    are: [
      [false, false],
      [false, false],
      [true, true],
    ],
    size: { columns: 91, rows: 17 },
    streams: { columns: 91, rows: 17 },
  });
});

test("a terminal that does not say its size has 80 columns and 24 rows", async () => {
  expect((await tell("cols 0 rows 0"))["size"]).toEqual({ columns: 80, rows: 24 });
});

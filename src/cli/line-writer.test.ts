import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Area, LineWriter } from "./line-writer.ts";

/** More than a pipe holds, less than may wait. */
const LINES = 3000;
const line = (number: number): string => `line ${number} ${"x".repeat(80)}\n`;

let folder: string;
let reader: number;
let pipe: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-lines-"));
  const path = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", path]);
  reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  pipe = openSync(path, constants.O_WRONLY);
});

afterEach(() => {
  for (const descriptor of [reader, pipe]) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

/** All that comes until `writer` has nothing left. */
async function readAll(writer: LineWriter): Promise<string> {
  let text = "";
  const ended = new AbortController();
  const done = writer.flush(30_000).then(() => ended.abort());
  const bytes = Buffer.alloc(1 << 16);
  while (!ended.signal.aborted || text.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      text += bytes.toString("utf8", 0, readSync(reader, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
  await done;
  try {
    for (let count = readSync(reader, bytes); count > 0; count = readSync(reader, bytes))
      text += bytes.toString("utf8", 0, count);
  } catch {
    // the pipe is empty
  }
  return text;
}

test("nobody waits for a pipe that is full, and what was said comes in order when it is read", async () => {
  const writer = new LineWriter(pipe);
  const said = Array.from({ length: LINES }, (_, number) => line(number));
  for (const text of said) writer.write(text); // returns although nobody reads
  expect(await readAll(writer)).toBe(said.join(""));
});

test("what is too much is dropped and counted, and the count is told when lines flow again", async () => {
  const writer = new LineWriter(pipe);
  writer.onDropped((count) => writer.write(`dropped ${count}\n`));
  for (let number = 0; number < 10 * LINES; number++) writer.write(line(number));
  const lines = (await readAll(writer)).trimEnd().split("\n");
  const kept = lines.length - 1;
  expect(kept).toBeLessThan(10 * LINES);
  expect(lines.at(-1)).toBe(`dropped ${10 * LINES - kept}`);
  expect(`${lines[kept - 1]}\n`).toBe(line(kept - 1));
});

test("a flush ends where nobody reads", async () => {
  const writer = new LineWriter(pipe);
  for (let number = 0; number < LINES; number++) writer.write(line(number));
  await writer.flush(1); // hangs where it does not
  expect(await readAll(writer)).toEndWith(line(LINES - 1));
});

test("a file is written at once", () => {
  const path = join(folder, "file");
  const file = openSync(path, "w");
  new LineWriter(file).write("said\n");
  expect(readFileSync(path, "utf8")).toBe("said\n");
  closeSync(file);
});

const AREA: Area = {
  draw: (text, lines) => `[${text}|${lines.join()}]`,
  say: (text) => `[${text}]`,
  below: (text, lines) => `[below ${text}|${lines.join()}]`,
  forget: () => {},
  end: ({ keeps }) => (keeps ? "[kept]" : "[gone]"),
};

test("what is said and what stands at the bottom come in one order, and a change that was not written yet gives way", async () => {
  const writer = new LineWriter(pipe, false);
  writer.openArea(AREA);
  expect(writer.isLive).toBe(true);
  writer.show(["one"]);
  writer.show(["two"]);
  writer.write("said");
  writer.show(["three"]);
  writer.closeArea({ keeps: true });
  writer.write(" after");
  expect(await readAll(writer)).toBe("[|one][said after|three][kept]");
  expect(writer.isLive).toBe(false);
  writer.show(["four"]);
  writer.closeArea({ keeps: false });
  writer.write("as it is");
  expect(await readAll(writer)).toBe("as it is");
});

test("live lines are away while children have the terminal, and come back below with the next change", async () => {
  const writer = new LineWriter(pipe, false);
  writer.openArea(AREA);
  writer.show(["one"]);
  expect(await readAll(writer)).toBe("[|one]");
  const [first, second] = [writer.yield(), writer.yield()];
  expect(await readAll(writer)).toBe("[|]");
  writer.show(["two"]);
  writer.write("as it is");
  first();
  first();
  writer.show(["three"]);
  expect(await readAll(writer)).toBe("as it is");
  second();
  writer.show(["four"]);
  expect(await readAll(writer)).toBe("[below |four]");
  writer.yield();
  writer.show(["five"]);
  writer.closeArea({ keeps: true });
  expect(await readAll(writer)).toBe("[|][below |five][kept]");
  writer.yield()();
  writer.write("after");
  expect(await readAll(writer)).toBe("after");
});

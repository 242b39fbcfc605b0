import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPaint } from "../log/paint.ts";
import { showSource } from "./source-frame.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-source-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function show(text: string, at: string, columns = 80): Promise<readonly string[]> {
  const path = join(folder, "it's a flow.ts");
  await writeFile(path, text);
  return showSource(`${path}:${at}: it is wrong.`, { columns, paint: createPaint(false) });
}

test("the line is shown with a mark under the place", async () => {
  expect(await show("one\nconst x = };\nthree\n", "2:11")).toEqual(["    2 | const x = };", "      |           ^"]);
});

test("tabs, wide characters and controls do not move the mark", async () => {
  const [line = "", mark = ""] = await show('\tx("日本\u001b", !);\r\n', "1:11");
  expect(line).toBe('    1 |   x("日本\\x1b", !);');
  expect(Bun.stringWidth(mark)).toBe(Bun.stringWidth(line.slice(0, line.indexOf("!") + 1)));
});

test("of a long line the place is shown, in the width of the terminal", async () => {
  const text = `${"a".repeat(5000)}!${"b".repeat(5000)}`;
  const [line = "", mark = ""] = await show(text, "1:5001", 40);
  expect([line.length, line[mark.indexOf("^")]]).toEqual([8 + 40, "!"]);
  expect(line).toEndWith("…");
});

test("of a file that is far too large nothing is read", async () => {
  expect(await show(`one\n${" ".repeat(4 * 1024 * 1024)}`, "1:1")).toEqual([]);
});

test("where there is no place, or no file any more, nothing is shown", async () => {
  expect(await show("one\n", "7:1")).toEqual([]);
  const look = { columns: 80, paint: createPaint(false) };
  expect(showSource("/nowhere/x.ts:1:1: gone", look)).toEqual([]);
  expect(showSource("no place at all", look)).toEqual([]);
});

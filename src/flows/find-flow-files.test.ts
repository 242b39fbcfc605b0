// From paths to flow files: which files are found, and which paths are refused.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFlowFiles, resolveFlowPaths } from "./find-flow-files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taskonaut-find-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const failing = (message: RegExp): unknown =>
  expect.objectContaining({ code: "flow_load_failed", message: expect.stringMatching(message) });

test.each(["what?.ts", "a\\b.ts"])("a file named %s is refused by name, and in a folder passed over", (name) => {
  writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "good.ts"), "");
  expect(() => findFlowFiles([join(folder, name)])).toThrow(failing(/cannot be read where its path has a \? or a \\/));
  expect(findFlowFiles([folder])).toContainEqual({
    path: join(folder, name),
    isNamed: false,
    whyNot: expect.stringContaining("cannot be read"),
  });
  expect(findFlowFiles([folder])).toContainEqual({ path: join(folder, "good.ts"), isNamed: false });
});

test("a folder with such a name is refused, and a link to it is not", () => {
  const odd = join(folder, "odd?");
  mkdirSync(odd);
  writeFileSync(join(odd, "flow.ts"), "");
  expect(() => findFlowFiles([odd])).toThrow(failing(/lay a link to it elsewhere/));
  symlinkSync(odd, join(folder, "even"));
  expect(findFlowFiles([join(folder, "even")]).map(({ path }) => path)).toEqual([join(folder, "even", "flow.ts")]);
});

test("a link that leads nowhere is told as such where it is named, and in a folder passed over", () => {
  const link = join(folder, "link.ts");
  symlinkSync("/none/flow.ts", link);
  expect(() => findFlowFiles([link])).toThrow(
    failing(/link\.ts: it is a link to \/none\/flow\.ts, where there is nothing/),
  );
  expect(findFlowFiles([folder])).toEqual([{ path: link, isNamed: false, whyNot: "is a link that leads nowhere" }]);
});

test("in a folder, pipes, devices and links to folders are passed over, and sources of every ending are found", () => {
  const sources = ["a.ts", "b.tsx", "c.mts", "d.cts", "e.js", "f.jsx", "g.mjs", "h.cjs"];
  for (const name of sources) writeFileSync(join(folder, name), "");
  for (const name of ["readme.md", "data.json", "x.tsx.bak"]) writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "i.test.tsx"), "");
  Bun.spawnSync(["mkfifo", join(folder, "j.ts")]);
  symlinkSync("/dev/zero", join(folder, "k.ts"));
  symlinkSync(".", join(folder, "l"));
  symlinkSync(".", join(folder, "node_modules"));
  expect(findFlowFiles([folder])).toEqual([
    ...sources.map((name) => ({ path: join(folder, name), isNamed: false })),
    { path: join(folder, "i.test.tsx"), isNamed: false, whyNot: "is a test" },
    { path: join(folder, "j.ts"), isNamed: false, whyNot: "is a pipe or a device, not a file" },
    { path: join(folder, "k.ts"), isNamed: false, whyNot: "is a pipe or a device, not a file" },
    { path: join(folder, "l"), isNamed: false, whyNot: "is a link to a folder: name the folder itself as well" },
  ]);
});

test("what cannot be read is told as such where it is named, and in a folder passed over", () => {
  const loop = join(folder, "loop.ts");
  symlinkSync("loop.ts", loop);
  symlinkSync("loop", join(folder, "loop"));
  writeFileSync(join(folder, "good.ts"), "");
  expect(() => findFlowFiles([loop])).toThrow(
    failing(/loop\.ts: it is a link that leads back to itself\. Check --flows/),
  );
  expect(() => findFlowFiles([join(folder, "n".repeat(300))])).toThrow(failing(/: its name is too long\./));
  expect(() => findFlowFiles([join(folder, "good.ts", "x")])).toThrow(failing(/there is no such file or folder/));
  expect(() => findFlowFiles(["/dev/null"])).toThrow(failing(/^\/dev\/null: it is neither a file nor a folder\./));
  expect(findFlowFiles([folder])).toEqual([
    { path: join(folder, "good.ts"), isNamed: false },
    { path: loop, isNamed: false, whyNot: "is a link that leads nowhere" },
  ]);
  expect(resolveFlowPaths({ flags: [], env: {}, cwd: folder })).toEqual([]);
  symlinkSync("flows", join(folder, "flows"));
  expect(resolveFlowPaths({ flags: [], env: {}, cwd: folder })).toEqual([]);
});

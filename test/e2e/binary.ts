// The compiled program, as users have it.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { once } from "../support/once.ts";

const ROOT = join(import.meta.dir, "../..");
const BINARY = join(ROOT, "dist/taskonaut");
const SOURCES = new Bun.Glob("{src,sql}/**/*");
const BUILD_FILES = [".scripts/build.ts", ".scripts/init-assets.ts", "package.json", "bun.lock"];

/** Gives the path of `dist/taskonaut`, built first where it is missing or older than what it is made of. */
export const binary: () => Promise<string> = once(async () => {
  if (!(await isFresh())) {
    const build = Bun.spawn([process.execPath, "run", "build"], { cwd: ROOT, stdout: "ignore", stderr: "pipe" });
    if ((await build.exited) !== 0) throw new Error(`dist/taskonaut cannot be built:\n${await build.stderr.text()}`);
  }
  return BINARY;
});

async function isFresh(): Promise<boolean> {
  const built = await modifiedAt(BINARY);
  const files = [...BUILD_FILES, ...(await Array.fromAsync(SOURCES.scan(ROOT)))];
  const times = await Promise.all(files.map((file) => modifiedAt(join(ROOT, file))));
  return times.every((time) => time <= built);
}

/** Milliseconds since 1970; 0: there is no such file. */
function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

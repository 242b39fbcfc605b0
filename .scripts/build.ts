// Compiles `dist/taskonaut` for this machine; with `--all` one binary for each target, and their SHA256SUMS. Bun
// downloads the runtimes of other targets from the npm registry the first time, and keeps them in its cache.

import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "bun";
import { BUNDLE } from "./bundle.ts";
import { initAssets } from "./init-assets.ts";
import { testingRuntime } from "./testing-runtime.ts";
import { uiAssets } from "./ui-assets.ts";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
/** Of 22 levels: a higher one takes seconds longer, and saves only a tenth. */
const ZSTD_LEVEL = 12;
const TARGETS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] as const;

try {
  if (process.argv.includes("--all")) await buildAll();
  else await build("taskonaut");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function buildAll(): Promise<void> {
  const sums: string[] = [];
  for (const target of TARGETS) {
    const name = `taskonaut-${target}`;
    await build(name, `bun-${target}`);
    const digest = new Bun.CryptoHasher("sha256").update(await Bun.file(join(DIST, name)).arrayBuffer()).digest("hex");
    sums.push(`${digest}  ${name}\n`);
  }
  await Bun.write(join(DIST, "SHA256SUMS"), sums.join(""));
}

async function build(name: string, target?: Build.CompileTarget): Promise<void> {
  const started = performance.now();
  await mkdir(DIST, { recursive: true });
  // Compiled in a separate folder, then moved: `dist/taskonaut` is always the whole old or the whole new program.
  const folder = await mkdtemp(join(DIST, ".build-"));
  try {
    const assets = join(folder, "init.assets");
    const runtime = join(folder, "testing.assets");
    await Bun.write(assets, Bun.zstdCompressSync(JSON.stringify(await initAssets()), { level: ZSTD_LEVEL }));
    const ui = join(folder, "ui.assets");
    await Bun.write(runtime, await testingRuntime());
    await Bun.write(ui, await uiAssets());
    await compile(join(folder, name), [assets, runtime, ui], target);
    await rename(join(folder, name), join(DIST, name));
  } catch (error) {
    const why =
      error instanceof AggregateError ? error.errors.map((each) => Bun.inspect(each)).join("\n") : String(error);
    const hint = target
      ? `\nBuilding for ${target} needs Bun's runtime for it, from the npm registry or Bun's cache.`
      : "";
    throw new Error(`Cannot build dist/${name}: ${why}${hint}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
  const { size } = await stat(join(DIST, name));
  console.log(`dist/${name}  ${(size / 1e6).toFixed(0)} MB  ${(performance.now() - started).toFixed(0)} ms`);
}

async function compile(
  outfile: string,
  assets: readonly string[],
  target: Build.CompileTarget | undefined,
): Promise<void> {
  await Bun.build({
    // A thread runs its own program, which is embedded next to the main one.
    entrypoints: [join(ROOT, "src/main.ts"), join(ROOT, "src/heartbeat/thread.ts"), ...assets],
    // embedded unchanged, and read only by `init`, `test` and the server
    loader: { ".assets": "file" },
    naming: { entry: "[name].[ext]", asset: "[name].[ext]" },
    root: ROOT,
    compile: {
      outfile,
      ...(target && { target }),
      // The binary must not obey a foreign `.env` or `bunfig.toml` in the current folder.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      // The packages of a flow file are found through their package.json.
      autoloadPackageJson: true,
    },
    ...BUNDLE,
    define: {
      BUILD_COMMIT: JSON.stringify(commit()),
      "process.env.NODE_ENV": JSON.stringify("production"),
    },
  });
}

/** `a1b2c3d`; `a1b2c3d-dirty` if tracked files have changed; `unknown` without git. */
function commit(): string {
  try {
    const git = Bun.spawnSync(["git", "describe", "--always", "--dirty", "--exclude=*"], { cwd: ROOT });
    return git.success ? git.stdout.toString().trim() : "unknown";
  } catch {
    return "unknown";
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary } from "../e2e/binary.ts";
import type { Bench } from "./bench.ts";
import { megabytes, median, milliseconds, percentile } from "./figures.ts";
import type { Launch } from "./launcher.ts";

const RUNS = 25;
/** The first creates the file. */
const RUNS_WARM_UP = 3;

/** `init` writes here, in the bench's own folder; the file in it is loaded by the others. */
const FLOWS = "my-flows";

const COMMANDS = [
  { words: ["run-flow", "--text", "hello", "--a", "2", "--b", "3"], target: "≤ 60 ms, ≤ 80 MB" },
  { words: ["run-flow", "--text", "hello", "--a", "2", "--b", "3", "--flows", FLOWS], target: "≤ 10 ms more" },
  { words: ["flows", "--flows", FLOWS], target: "≤ 100 ms" },
  { words: ["validate", "order", "--sku", "A1", "--flows", FLOWS], target: "≤ 100 ms" },
  { words: ["--help"], target: "≤ 30 ms" },
] as const;

export const wholeProcess: Bench = {
  name: "process",
  title: "A whole process of dist/taskonaut, start to exit, on an existing SQLite file (WAL, synchronous=FULL)",
  async run() {
    const program = await binary();
    const dataHome = await mkdtemp(join(tmpdir(), "taskonaut-bench-"));
    await writeFlows(program, dataHome);
    const launches = (await launchAll(program, dataHome)).slice(RUNS_WARM_UP * COMMANDS.length);
    await rm(dataHome, { recursive: true });
    return COMMANDS.map(({ words, target }, command) => {
      const own = launches.filter((launch) => launch.command === command);
      const wallMs = own.map((launch) => launch.wallMs);
      return {
        command: `taskonaut ${words.join(" ")}`,
        "wall p50": milliseconds(median(wallMs)),
        "wall p95": milliseconds(percentile(wallMs, 95)),
        "peak memory": megabytes(median(own.map((launch) => launch.peakBytes))),
        target,
      };
    });
  },
};

async function writeFlows(program: string, folder: string): Promise<void> {
  const init = Bun.spawn([program, "init", FLOWS], { cwd: folder, stdin: "ignore", stdout: "ignore" });
  if ((await init.exited) !== 0) throw new Error("init failed.");
}

async function launchAll(program: string, dataHome: string): Promise<readonly Launch[]> {
  const commands = COMMANDS.map(({ words }) => JSON.stringify([program, ...words]));
  const script = join(import.meta.dir, "launcher.ts");
  const launcher = Bun.spawn([process.execPath, script, String(RUNS + RUNS_WARM_UP), ...commands], {
    cwd: dataHome,
    env: { PATH: process.env["PATH"], HOME: dataHome, XDG_DATA_HOME: dataHome },
    stdin: "ignore",
    stdout: "pipe",
  });
  const json = await launcher.stdout.text();
  if ((await launcher.exited) !== 0) throw new Error("The launcher failed.");
  return JSON.parse(json) as Launch[];
}

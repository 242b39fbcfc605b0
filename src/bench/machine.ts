import { cpus, release, totalmem, type } from "node:os";
import type { BenchMachine } from "../core/api/bench.ts";

/** The machine of this process. The database may be on another one. */
export function describeMachine(): BenchMachine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memory_bytes: totalmem(),
    os: `${type()} ${release()} ${process.arch}`,
    bun: Bun.version,
  };
}

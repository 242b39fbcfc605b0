import { cpus, release, totalmem, type } from "node:os";

/** What the figures were measured on, for above the tables. */
export function describeMachine(): string {
  const cores = cpus();
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const cpu = cores[0]?.model.trim() ?? "unknown CPU";
  return `${cpu}, ${cores.length} cores, ${memory}; ${type()} ${release()} ${process.arch}; Bun ${Bun.version}`;
}

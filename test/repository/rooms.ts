// Who may know whom. A room is a file, a folder with all that is in it, or (`core/*`, `store/*store.ts`) the files that stand in a folder itself;
// a file belongs to the narrowest. A room knows itself, the rooms that it names here, and the packages; types count as well.
// What it names stands further down, so imports go down only. `core` names all rooms within that folder at once.
// `rooms.test.ts` holds the sources to it, and ARCHITECTURE.md tells what each room is for.

export interface Room {
  readonly imports: readonly string[];
  readonly packages?: readonly string[];
}

/** By their paths under `src`, the highest first. */
export const ROOMS: Readonly<Record<string, Room>> = {
  "main.ts": { imports: ["build-info.ts", "wire.ts", "cli"] },
  "build-info.ts": { imports: ["cli"] },
  "wire.ts": {
    imports: [
      "cli",
      "server",
      "client",
      "telemetry",
      "bench",
      "runner",
      "read-limits.ts",
      "heartbeat",
      "engine",
      "flows",
      "store",
      "log",
      "core",
    ],
    packages: ["node:os", "node:path"],
  },
  // the doors: they speak to the interface `core/api/taskonaut.ts` alone
  cli: {
    imports: ["refuse-ends.ts", "log", "core"],
    packages: [
      "@clack/prompts",
      "bun:ffi",
      "cac",
      "node:async_hooks",
      "node:console",
      "node:fs",
      "node:fs/promises",
      "node:module",
      "node:os",
      "node:path",
      "node:stream",
      "node:timers/promises",
      "node:tty",
    ],
  },
  server: {
    imports: ["turn-of-loop.ts", "core"],
    packages: [
      "@valibot/to-json-schema",
      "bun",
      "hono",
      "hono/utils/url",
      "node:crypto",
      "node:fs",
      "node:path",
      "valibot",
    ],
  },
  client: { imports: ["acting.ts", "core"], packages: ["valibot"] },
  // what is counted of the store's writes, and how Prometheus is told
  telemetry: { imports: ["store/*store.ts", "core"] },
  ui: { imports: ["core"], packages: ["@preact/signals", "preact", "preact/hooks", "uplot"] },

  bench: {
    imports: ["engine/engine*.ts", "engine/process", "flows", "store/baseline.ts", "core"],
    packages: ["node:os"],
  },
  heartbeat: {
    imports: ["engine/process", "store/open.ts", "store/*", "store/blame.ts", "log", "core"],
    packages: ["bun:ffi", "node:fs", "node:worker_threads"],
  },

  // tests of flows: who starts them, and what runs in their process
  runner: { imports: ["flows", "core"], packages: ["node:fs", "node:fs/promises", "node:os", "node:path"] },
  testing: {
    imports: [
      "read-limits.ts",
      "engine/engine*.ts",
      "engine/task",
      "flows",
      "store/sqlite",
      "store/*store.ts",
      "turn-of-loop.ts",
      "refuse-ends.ts",
      "sdk",
      "core",
    ],
    packages: ["valibot"],
  },

  "read-limits.ts": { imports: ["core"] },

  // the wings of the engine
  "engine/engine*.ts": {
    imports: [
      "engine/queue",
      "engine/driving",
      "engine/doors",
      "engine/task",
      "engine/process",
      "store/*store.ts",
      "acting.ts",
      "turn-of-loop.ts",
      "core",
    ],
  },
  "engine/queue": {
    imports: ["engine/driving", "engine/doors", "engine/task", "engine/process", "store/*store.ts", "core"],
  },
  "engine/driving": {
    imports: ["engine/doors", "engine/task", "engine/process", "store/*store.ts", "core"],
    packages: ["valibot"],
  },
  "engine/doors": {
    imports: ["engine/task", "engine/process", "store/record-damaged.ts", "store/*store.ts", "acting.ts", "core"],
  },
  "engine/task": {
    imports: ["engine/process", "store/record-damaged.ts", "store/*store.ts", "turn-of-loop.ts", "core"],
    packages: ["@valibot/to-json-schema", "bun:jsc", "node:fs", "node:path"],
  },
  "engine/process": { imports: ["store/*store.ts", "core"] },

  flows: {
    imports: ["sdk", "core"],
    packages: ["node:crypto", "node:fs", "node:module", "node:path", "valibot"],
  },
  // what `init` writes: files of users
  "flows/templates": { imports: [], packages: ["node:fs/promises", "node:path", "taskonaut", "valibot"] },

  // whoever asks for a dialect asks here
  "store/open.ts": {
    imports: [
      "store/postgres",
      "store/sqlite",
      "store/baseline.ts",
      "store/*",
      "store/*store.ts",
      "store/blame.ts",
      "core",
    ],
  },
  "store/postgres": {
    imports: ["store/baseline.ts", "store/*", "store/*store.ts", "store/blame.ts", "store/record-damaged.ts", "core"],
    packages: ["node:dns/promises", "node:fs", "node:net", "node:timers/promises", "node:tls", "postgres"],
  },
  "store/sqlite": {
    imports: [
      "store/baseline.ts",
      "store/*",
      "store/*store.ts",
      "store/blame.ts",
      "store/record-damaged.ts",
      "turn-of-loop.ts",
      "core",
    ],
    packages: ["bun:sqlite", "node:fs", "node:fs/promises", "node:path"],
  },
  "store/baseline.ts": { imports: ["store/*", "store/*store.ts"] },
  "store/*": {
    imports: ["store/*store.ts", "store/record-damaged.ts", "turn-of-loop.ts", "core"],
    packages: ["node:fs", "node:os", "node:path"],
  },
  // what the engine knows of it
  "store/*store.ts": { imports: ["store/blame.ts", "core"] },
  "store/blame.ts": { imports: ["core/*"] },
  "store/record-damaged.ts": { imports: ["core/*"] },

  // who acts, through all that waits
  "refuse-ends.ts": { imports: ["core"] },
  "acting.ts": { imports: ["core"], packages: ["node:async_hooks"] },

  sdk: { imports: ["core"] },
  log: { imports: ["core"], packages: ["consola/core"] },

  // the wings of core, which is pure
  "core/api": { imports: ["core/record", "core/*"], packages: ["valibot"] },
  "core/flow": { imports: ["core/record", "core/*"], packages: ["valibot"] },
  "core/record": { imports: ["core/*"] },
  "core/*": { imports: [] },
  "turn-of-loop.ts": { imports: [] },
};

// The guarded globals. What is not there (XMLHttpRequest) is passed over; what Bun makes read-only (`Bun.fetch`,
// `Bun.WebView`) or takes milliseconds to look at (`Bun.sql`) is left: nothing that they give reaches a flow, which
// cannot await, and a query that nobody awaits never runs.

import {
  END_FLOW,
  GIVE_LAST_MODIFIED,
  IMPORT_AT_TOP,
  KEEP_VALUE,
  USE_NOW,
  USE_OPERATIONS,
  USE_RANDOM,
  USE_SLEEP,
  USE_TOOL,
  USE_UUID,
} from "./advice.ts";
import { guardMembers, type Judge } from "./guard.ts";
import { wantsAbsolutePath } from "./paths.ts";

export function guardGlobals(): void {
  for (const { of, name, members, instead } of areas()) {
    if (of) guardMembers(of, members.split(" "), (key) => ({ call: name === "" ? key : `${name}.${key}`, instead }));
  }
}

interface Area {
  readonly of: object | undefined;
  /** In messages; "" for the globals themselves. */
  readonly name: string;
  readonly members: string;
  readonly instead: string | Judge;
}

function areas(): readonly Area[] {
  return [
    { of: globalThis, name: "", members: "setTimeout setInterval setImmediate", instead: USE_SLEEP },
    { of: globalThis, name: "", members: "queueMicrotask", instead: USE_OPERATIONS },
    {
      of: globalThis,
      name: "",
      members: "fetch WebSocket XMLHttpRequest EventSource Worker BroadcastChannel",
      instead: USE_TOOL,
    },
    { of: globalThis, name: "", members: "alert confirm prompt", instead: USE_TOOL },
    { of: globalThis, name: "", members: "FinalizationRegistry", instead: KEEP_VALUE },
    { of: WeakRef.prototype, name: "WeakRef", members: "deref", instead: KEEP_VALUE },
    { of: globalThis, name: "", members: "File", instead: wantsLastModified },
    { of: URL, name: "URL", members: "createObjectURL", instead: USE_TOOL },
    { of: AbortSignal, name: "AbortSignal", members: "timeout", instead: USE_SLEEP },
    { of: Atomics, name: "Atomics", members: "wait waitAsync", instead: USE_SLEEP },
    { of: Math, name: "Math", members: "random", instead: USE_RANDOM },
    { of: Crypto.prototype, name: "crypto", members: "getRandomValues randomUUID", instead: USE_UUID },
    {
      of: SubtleCrypto.prototype,
      name: "crypto.subtle",
      members: methodsOf(SubtleCrypto.prototype),
      instead: USE_TOOL,
    },
    { of: performance, name: "performance", members: "now", instead: USE_NOW },
    {
      of: Performance.prototype,
      name: "performance",
      members: "eventLoopUtilization timeOrigin toJSON mark measure getEntries getEntriesByName getEntriesByType",
      instead: USE_NOW,
    },
    { of: temporalNow(), name: "Temporal.Now", members: methodsOf(temporalNow()), instead: USE_NOW },

    { of: process, name: "process", members: "hrtime uptime", instead: USE_NOW },
    { of: process, name: "process", members: "nextTick", instead: USE_OPERATIONS },
    { of: process, name: "process", members: "exit abort reallyExit", instead: END_FLOW },
    { of: process, name: "process", members: "getBuiltinModule", instead: IMPORT_AT_TOP },
    {
      of: process,
      name: "process",
      members:
        "cwd chdir umask kill execve dlopen loadEnvFile memoryUsage cpuUsage threadCpuUsage resourceUsage availableMemory constrainedMemory getActiveResourcesInfo getuid geteuid getgid getegid getgroups",
      instead: USE_TOOL,
    },

    { of: process.report, name: "process.report", members: "getReport writeReport", instead: USE_TOOL },

    { of: Bun, name: "Bun", members: "nanoseconds", instead: USE_NOW },
    { of: Bun, name: "Bun", members: "sleep sleepSync", instead: USE_SLEEP },
    { of: Bun, name: "Bun", members: "randomUUIDv7", instead: USE_UUID },
    { of: Bun, name: "Bun", members: "peek", instead: USE_OPERATIONS },
    {
      of: Bun,
      name: "Bun",
      members:
        "$ Glob FileSystemRouter RedisClient S3Client Terminal build connect cron file gc generateHeapSnapshot listen mmap openInEditor resolve resolveSync serve spawn spawnSync udpSocket which write",
      instead: USE_TOOL,
    },
    { of: Bun, name: "Bun", members: "pathToFileURL", instead: wantsAbsolutePath },
    { of: Bun.CSRF, name: "Bun.CSRF", members: "generate verify", instead: USE_TOOL },
    { of: Bun.Glob.prototype, name: "glob", members: "scan scanSync", instead: USE_TOOL },
    { of: Bun.password, name: "Bun.password", members: "hash hashSync", instead: USE_TOOL },
    { of: Bun.secrets, name: "Bun.secrets", members: "get set delete", instead: USE_TOOL },
    { of: Bun.dns, name: "Bun.dns", members: methodsOf(Bun.dns), instead: USE_TOOL },
  ];
}

export const wantsLastModified: Judge = ([, , options]) =>
  (options as { readonly lastModified?: unknown } | undefined)?.lastModified === undefined
    ? GIVE_LAST_MODIFIED
    : undefined;

/** The language's next clock, not in TypeScript's library yet. */
function temporalNow(): object | undefined {
  return (globalThis as { readonly Temporal?: { readonly Now: object } }).Temporal?.Now;
}

function methodsOf(object: object | undefined): string {
  return Object.getOwnPropertyNames(object ?? {})
    .filter((name) => name !== "constructor")
    .join(" ");
}

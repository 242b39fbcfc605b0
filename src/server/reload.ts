// `run-app --reload`: the server as a child process, started anew when a source changes. A process that is replaced
// whole cannot keep a stale module, a guard or a timer of the code before.
//
// The child is told to leave by closing the channel to it, not by a signal: Ctrl-C at a terminal has reached it already,
// and a second signal would cut off what is under way. The channel closes too when this process is killed.

import { statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { Log } from "../core/log.ts";

export interface SuperviseOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Folders (with everything below them) and single files. */
  readonly watch: readonly string[];
  /** Aborted: the child is stopped, and the promise resolves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** How long a server that is told to leave lets its requests and tools end. */
  readonly graceMs: number;
}

/** An editor's save is several events: they count as one. */
const DEBOUNCE_MS = 100;

/** A server that lives so much longer than its grace period is stuck. */
const STUCK_MS = 5_000;

/** In a watched folder only sources count: a database beside them changes with every task. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json|sql)$/;

/** Resolves when `signal` aborts. A child that ends by itself is not started again before a file has changed: no hot loop. */
export async function superviseServer({
  command,
  watch: paths,
  signal,
  log,
  graceMs,
}: SuperviseOptions): Promise<void> {
  const changes = watchSources(paths, signal);
  try {
    while (!signal.aborted) {
      const child = Bun.spawn([...command], { stdio: ["inherit", "inherit", "inherit"], ipc: () => {} });
      const ended = child.exited.then(() => "ended" as const);
      const change = changes.next();
      if ((await Promise.race([ended, change])) === "ended" && !signal.aborted) {
        log.warn?.("the server ended; it is started again after the next change", { exit: child.exitCode });
      }
      const file = await change;
      if (file !== undefined) log.info?.("a source changed; the server restarts", { file });
      await endChild(child, graceMs + STUCK_MS);
    }
  } finally {
    changes.close();
  }
}

async function endChild(child: Bun.Subprocess, killAfterMs: number): Promise<void> {
  child.disconnect();
  const stuck = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await child.exited;
  clearTimeout(stuck);
}

interface Changes {
  /** The file of the next change, once it has been quiet for DEBOUNCE_MS; undefined when the signal aborts. */
  next(): Promise<string | undefined>;
  close(): void;
}

function watchSources(paths: readonly string[], signal: AbortSignal): Changes {
  let pending = Promise.withResolvers<string | undefined>();
  let timer: Timer | undefined;
  const onAbort = (): void => pending.resolve(undefined);
  const onChange = (file: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => pending.resolve(file), DEBOUNCE_MS);
  };
  signal.addEventListener("abort", onAbort);
  const watchers = paths.map((path) => watchPath(path, onChange));
  return {
    next() {
      pending = Promise.withResolvers();
      if (signal.aborted) pending.resolve(undefined);
      return pending.promise;
    },
    close() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/**
 * A single file is watched through its folder: editors replace a file, and a watch on the old one hears nothing more.
 * The sources beside it count too: it may import them.
 */
function watchPath(path: string, onChange: (file: string) => void): FSWatcher {
  if (statSync(path).isDirectory()) {
    return watch(path, { recursive: true }, (_, file) => {
      if (file !== null && SOURCE.test(file) && !file.includes("node_modules")) onChange(file);
    });
  }
  return watch(dirname(path), (_, file) => {
    if (file !== null && (file === basename(path) || SOURCE.test(file))) onChange(file);
  });
}
